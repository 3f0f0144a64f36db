internal import LinuxSystem
internal import SystemPackage

// The real renames of a merged directory's parts, and their undoing.

/// The steps that were done so far, in this order.
struct MergedProgress {
    var isAside = false
    /// How many parts have moved.
    var moved = 0
    var isCovered = false
}

extension Union {
    func moveParts(
        _ rename: inout MergedRename, _ prepared: borrowing MergedPreparation,
        _ progress: inout MergedProgress
    ) throws(Errno) {
        if let aside = prepared.aside, let upper = stack.upper,
            let directory = rename.destination.view.directory(in: upper.index)
        {
            let aside = OwnedName(aside)
            try FileDescriptor.rename(
                from: directory, rename.newName, to: try work.directory(), aside.ref)
            progress.isAside = true
        }
        let (name, newName, caller) = (rename.name, rename.newName, rename.caller)
        for index in rename.parts.indices {
            try move(&rename.parts[index], name, newName, caller)
            progress.moved += 1
        }
        guard let cover = rename.cover else {
            return try changes.removeFiles(
                rename.source.lookup.hidden, name, rename.source.view, except: nil, caller)
        }
        try layers.makeWhiteout(name, in: cover)
        progress.isCovered = true
    }

    /// Makes the real rename of one part. What it replaces goes to the old name, so that it can come back.
    private func move(
        _ part: inout MovingPart, _ name: PathRef, _ newName: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        let (from, to, layer) = (part.from, part.to, part.layerEntry.layer)
        guard let replaced = part.replaced, !part.isPseudo else {
            let isPseudo = part.isPseudo
            return try layers.asCaller(caller, in: from) { () throws(Errno) in
                if isPseudo { return try FileDescriptor.rename(from: from, name, to: to, newName) }
                try layers.putInPlace(name, from: from, newName, in: to)
            }
        }
        do throws(Errno) {
            try layers.asCaller(caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
            }
            part.isExchanged = true
        } catch {
            guard replaced.isDirectory, !layer.isUpper,
                [.invalidArgument, .permissionDenied, .notPermitted, .notSupported].contains(error)
            else { throw error }
            try layers.asCaller(caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName)
            }
        }
    }

    /// Undoes the steps. False: something stays at its new name.
    func undo(
        _ rename: borrowing MergedRename, _ prepared: borrowing MergedPreparation, _ progress: MergedProgress
    ) -> Bool {
        var isWhole = true
        func attempt(_ step: () throws(Errno) -> Void) {
            do throws(Errno) { try step() } catch { isWhole = false }
        }
        let (name, newName) = (rename.name, rename.newName)
        if progress.isCovered, let cover = rename.cover {
            attempt { () throws(Errno) in try cover.unlink(at: name) }
        }
        for part in rename.parts.prefix(progress.moved).reversed() {
            attempt { () throws(Errno) in try moveBack(part, name, newName) }
        }
        if progress.isAside, let aside = prepared.aside, let upper = stack.upper,
            let directory = rename.destination.view.directory(in: upper.index)
        {
            let aside = OwnedName(aside)
            attempt { () throws(Errno) in
                try layers.putInPlace(aside.ref, from: try work.directory(), newName, in: directory)
            }
        }
        return isWhole
    }

    private func moveBack(_ part: MovingPart, _ name: PathRef, _ newName: PathRef) throws(Errno) {
        let flags: RenameFlags = part.isExchanged ? .exchange : []
        try FileDescriptor.rename(from: part.to, newName, to: part.from, name, flags: flags)
        guard let replaced = part.replaced, !part.isExchanged, !part.isPseudo else { return }
        try part.to.makeDirectory(at: newName, mode: 0o700)
        let made = try part.to.openBeneath(newName, flags: [.path, .directory, .noFollow])
        try made.descriptor.changeOwner(uid: replaced.uid, gid: replaced.gid)
        try made.descriptor.changeMode(replaced.permissions)
    }

    /// Removes what was replaced from the old name. A directory can't go if another process has just put
    /// something in it: then it is covered.
    func removeRemains(_ rename: inout MergedRename) {
        let (name, caller) = (rename.name, rename.caller)
        for part in rename.parts where part.isExchanged {
            do throws(Errno) {
                if part.replaced?.isDirectory != true {
                    try part.from.unlink(at: name)
                } else if try !changes.removePlain(name, in: part.from, caller) {
                    throw .directoryNotEmpty
                }
            } catch {
                guard rename.cover == nil, (try? changes.checkCover(rename.source.lookup)) != nil,
                    let cover = try? changes.upperDirectory(for: rename.source.directory, &rename.source.view)
                else { continue }
                if (try? layers.makeWhiteout(name, in: cover)) != nil { rename.cover = cover }
            }
        }
    }
}

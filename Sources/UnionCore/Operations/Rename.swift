public import LinuxSystem
public import SystemPackage

/// A rename under way.
struct Renaming: ~Copyable {
    var source: Target
    var destination: Target
    let name: PathRef
    let newName: PathRef
    let plan: RenamePlan
    let caller: CallerIdentity

    var layer: Layer { plan.layer }
    var moving: LayerEntry { plan.moving }
}

/// The whiteout that is to cover the old name.
private struct Cover {
    let directory: FileDescriptor
    /// The whiteout's name in the work area, where it is made already.
    let staged: PathRef
}

extension Union {
    /// renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE. EXDEV: it would need a copy. That is so for an
    /// object of a read-only layer, for a new parent that the owner's layer doesn't have, and for a new name
    /// under which something above would hide the object. (For a merged directory: `renameMerged`.)
    public func rename(
        _ parent: NodeID, _ name: PathRef, to newParent: NodeID, _ newName: PathRef, flags: UInt32,
        _ caller: CallerIdentity
    ) throws(Errno) {
        let flags = RenameFlags(rawValue: flags)
        guard flags.isSubset(of: [.noReplace, .exchange]), flags != [.noReplace, .exchange] else {
            throw .invalidArgument
        }
        let source = try changes.target(parent, name, caller, for: .take)
        let destination = try changes.target(newParent, newName, beside: source, caller, for: .replace)
        guard let moving = source.lookup.owner else { throw .noSuchFileOrDirectory }
        if flags == .noReplace && destination.lookup.isVisible { throw .fileExists }
        try changes.checkReplacement(of: moving, by: destination.lookup)
        try changes.checkMove(of: moving, to: destination)
        if source.lookup.isMerged {
            return try renameMerged(source, name, to: destination, newName, flags, caller)
        }
        if flags == .exchange {
            let departure = DeparturePlan(moving: moving, isCovered: false)
            let plan = try exchangePlan(departure, source, destination)
            var exchange = Renaming(
                source: source, destination: destination, name: name, newName: newName, plan: plan.there,
                caller: caller)
            return try self.exchange(&exchange, plan.back)
        }
        try checkReplaceable(by: moving, newName, destination)
        let isSameFile = isSameObject(moving, destination.lookup.owner)
        let departure = try changes.departurePlan(source.lookup)
        let plan = try changes.renamePlan(departure, to: newName, destination)
        var renaming = Renaming(
            source: source, destination: destination, name: name, newName: newName, plan: plan,
            caller: caller)
        // If both are names of one file both stay, as rename(2) has it.
        if isSameFile { return noteMoved(renaming, isSameFile: true) }
        try rename(&renaming, flags)
    }

    private func rename(_ renaming: inout Renaming, _ flags: RenameFlags) throws(Errno) {
        guard renaming.plan.departure.isCovered else { return try move(&renaming, flags, cover: nil) }
        let upper = try changes.upperDirectory(
            for: renaming.source.directory, &renaming.source.view)
        let staged = work.temporaryName()
        defer { work.discard(staged.ref) }
        try layers.stageWhiteout(staged.ref, for: upper)
        try move(&renaming, flags, cover: Cover(directory: upper, staged: staged.ref))
    }

    /// Takes the steps of a rename. Whatever may fail for a reason of the union's comes first.
    private func move(
        _ renaming: inout Renaming, _ flags: RenameFlags, cover: Cover?
    ) throws(Errno) {
        let (from, to) = try directories(of: &renaming)
        try checkMount(renaming, from, to)
        try changes.makeRoom(
            for: renaming.plan.arrival, renaming.newName, in: renaming.destination.directory,
            renaming.destination.view)
        let unlinked = unlinkedDestination(renaming.destination, renaming.newName)
        let leaving = OwnChange(coherence.noting, renaming.source.directory, renaming.name)
        let arriving = OwnChange(coherence.noting, renaming.destination.directory, renaming.newName)
        try removeHidden(renaming, to)
        let mustMark = isToBeMarked(renaming, from)
        var written: WrittenRename? =
            mustMark ? try writeDown(renaming, from: from, to: to, marks: true) : nil
        resolver.renames.begin()
        defer { resolver.renames.end() }
        do {
            try completeBeforeMove(renaming, from, mustMark: mustMark)
            try moveReal(renaming, from, to, flags, &written)
        } catch {
            if mustMark { unmarkComplete(renaming) }
            written?.erase()
            throw error
        }
        do {
            try putRight(renaming, cover)
        } catch {
            if moveBack(renaming, from, to, cover) {
                if mustMark { unmarkComplete(renaming) }
                written?.erase()
            }
            throw error
        }
        if let written { erase(written, after: realDirectories(of: renaming, from, to)) }
        changes.keepMoved(renaming.moving, at: renaming.newName, in: to)
        noteMoved(renaming)
        unlinked.nameIsGone()
        leaving.end(by: renaming.caller)
        arriving.end(by: renaming.caller)
        reporting.leaveEmptied(renaming.source.directory)
    }

    /// Covers the old name, and takes away what would hide the object at the new one.
    private func putRight(_ renaming: borrowing Renaming, _ cover: Cover?) throws(Errno) {
        if let cover {
            try changes.putWhiteout(
                cover.staged, renaming.name, in: cover.directory, of: renaming.source.directory)
        }
        try changes.uncover(
            renaming.plan.arrival, renaming.newName, in: renaming.destination.directory,
            renaming.destination.view, renaming.caller)
    }

    /// Checks that the layer can rename from the one directory to the other at all. EXDEV: it can't. What
    /// lies hidden under the names and has to go, goes before the rename, unseen; so this must be known
    /// before.
    private func checkMount(
        _ renaming: borrowing Renaming, _ from: FileDescriptor, _ to: FileDescriptor
    ) throws(Errno) {
        if renaming.source.lookup.hidden.isEmpty && renaming.plan.hiddenFile == nil { return }
        let (old, new) = (try from.status(), try to.status())
        if old.device != new.device || old.mountID != new.mountID { throw .improperLink }
    }

    private func removeHidden(_ renaming: borrowing Renaming, _ to: FileDescriptor) throws(Errno) {
        if renaming.plan.hiddenFile != nil {
            try layers.asCaller(renaming.caller, in: to) { () throws(Errno) in
                try to.unlink(at: renaming.newName)
            }
        }
        try changes.removeFiles(
            renaming.source.lookup.hidden, renaming.name, renaming.source.view, except: nil, renaming.caller)
    }

    /// Undoes a rename of which the rest failed. A file that it replaced has gone for good. False: the
    /// undoing failed, too; the next mount tries again.
    private func moveBack(
        _ renaming: borrowing Renaming, _ from: FileDescriptor, _ to: FileDescriptor, _ cover: Cover?
    ) -> Bool {
        let (name, newName) = (renaming.name, renaming.newName)
        if cover != nil && renaming.layer.isUpper && renaming.plan.swapsPlaces {
            // What it changed places with still stands at the old name, as a whiteout was wanted there.
            return (try? FileDescriptor.rename(from: to, newName, to: from, name, flags: .exchange)) != nil
        }
        if let cover { try? cover.directory.unlink(at: name) }
        do throws(Errno) {
            try FileDescriptor.rename(from: to, newName, to: from, name, flags: .noReplace)
        } catch {
            return false
        }
        if renaming.plan.arrival.replaced?.isWhiteout == true { try? layers.makeWhiteout(newName, in: to) }
        return true
    }

    private func realDirectories(
        of renaming: borrowing Renaming, _ from: FileDescriptor, _ to: FileDescriptor
    ) -> [FileDescriptor] {
        var directories = [from, to]
        for layerEntry in renaming.plan.arrival.above {
            if let directory = renaming.destination.view.directory(in: layerEntry.layer.index) {
                directories.append(directory)
            }
        }
        return directories
    }

    private func noteMoved(_ renaming: borrowing Renaming, isSameFile: Bool = false) {
        reporting.noteMoved(
            renaming.source, renaming.name, to: renaming.destination, renaming.newName, renaming.layer,
            isSameFile: isSameFile
        ) { moved in
            if moved.isDirectory { try? reporting.lookAtMakeup(of: moved) }
        }
    }

    /// Whether these are two names of one file.
    func isSameObject(_ moving: LayerEntry, _ other: LayerEntry?) -> Bool {
        guard let other, !other.isWhiteout, other.layer === moving.layer else { return false }
        return resolver.identity(of: other) == resolver.identity(of: moving)
    }

    /// Checks rename(2)'s rules for what the union shows under the new name.
    private func checkReplaceable(
        by moving: LayerEntry, _ name: PathRef, _ destination: borrowing Target
    ) throws(Errno) {
        guard let replaced = destination.lookup.owner else { return }
        switch (moving.isDirectory, replaced.isDirectory) {
        case (true, false): throw .notDirectory
        case (false, true): throw .isDirectory
        case (true, true):
            try changes.checkEmpty(destination.lookup, name, in: destination.directory, destination.view)
        case (false, false): break
        }
    }

    /// The real directories of both names in the owner's layer.
    func directories(
        of renaming: inout Renaming
    ) throws(Errno) -> (from: FileDescriptor, to: FileDescriptor) {
        let layer = renaming.layer
        let from = try changes.directory(of: renaming.source.directory, &renaming.source.view, in: layer)
        let to = try changes.directory(
            of: renaming.destination.directory, &renaming.destination.view, in: layer)
        return (from, to)
    }

    /// Settles what the directory may be backed by, before it moves. At its new name it may stand over
    /// directories of lower layers. Neither it nor anything below it may be merged with these, from its first
    /// moment there. (Nothing lies below it at its old name.)
    func completeBeforeMove(
        _ renaming: borrowing Renaming, _ from: FileDescriptor, mustMark: Bool
    ) throws(Errno) {
        guard renaming.plan.arrival.mustBeComplete else { return }
        if mustMark { try markCompleteToMove(renaming.name, in: from) }
        lowerFloor(renaming.source, renaming.name, to: renaming.layer)
    }

    func isToBeMarked(_ renaming: borrowing Renaming, _ from: FileDescriptor) -> Bool {
        renaming.plan.arrival.mustBeComplete && !isMarkedComplete(renaming.name, in: from)
    }

    func isMarkedComplete(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        layers.marks(of: name, in: directory).contains(.complete)
    }

    func lowerFloor(_ target: borrowing Target, _ name: PathRef, to layer: Layer) {
        reporting.knownNode(target.lookup, name, in: target.directory)?
            .lowerFloor(to: layer.index, at: coherence.tick())
    }

    func markCompleteToMove(_ name: PathRef, in directory: FileDescriptor) throws(Errno) {
        do {
            try changes.markComplete(name, in: directory)
        } catch {
            throw .improperLink
        }
    }

    func unmarkComplete(_ renaming: borrowing Renaming) {
        guard let directory = renaming.source.view.directory(in: renaming.layer.index) else { return }
        try? layers.removeMark(.complete, from: renaming.name, in: directory)
    }

    /// What the new name stood for.
    func unlinkedDestination(_ destination: borrowing Target, _ newName: PathRef) -> UnlinkedTarget {
        guard destination.lookup.isVisible else { return UnlinkedTarget(nil, nil) }
        return reporting.unlinkedTarget(
            destination.lookup, newName, in: destination.directory, destination.view)
    }
}

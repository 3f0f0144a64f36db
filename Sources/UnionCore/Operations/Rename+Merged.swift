internal import LinuxSystem
internal import SystemPackage

// The rename of a directory that several layers back: one rename in each of them, whatever is in it. To all
// requests through the union it is one step (`MergedRenames`). A crash leaves none of it or all
// (`RenameRecord`).

/// What is prepared before anything moves. It goes once everything has moved.
struct MergedPreparation: ~Copyable {
    /// The lowest part was marked as complete.
    let isMarked: Bool
    /// The name in the staging directory for what is in the way.
    let aside: [UInt8]?
    let written: WrittenRename
}

extension Union {
    /// Renames a merged directory in each layer that backs it. EXDEV: one of them can't take part. EPERM
    /// instead, if a pseudo filesystem has a part: its files mustn't be copied. ESTALE, upon which the kernel
    /// looks again: the names have changed meanwhile. A layer's own error: nothing is changed.
    func renameMerged(
        _ source: consuming Target, _ name: PathRef, to destination: consuming Target, _ newName: PathRef,
        _ flags: RenameFlags, _ caller: CallerIdentity, tries: Int = 0
    ) throws(Errno) {
        let (parent, newParent) = (source.directory.id, destination.directory.id)
        do throws(Errno) {
            return try renameAsPlanned(source, name, to: destination, newName, flags, caller)
        } catch {
            guard error == .staleNFSFileHandle, tries < Self.mostPlans else { throw error }
        }
        // Most likely a skeleton was just made, or was taken back for the sake of this rename.
        let source = try changes.target(parent, name, caller, for: .take)
        let destination = try changes.target(newParent, newName, caller, for: .replace)
        guard source.lookup.isMerged, flags != .noReplace || !destination.lookup.isVisible else {
            throw .staleNFSFileHandle
        }
        try renameMerged(source, name, to: destination, newName, flags, caller, tries: tries + 1)
    }

    private static var mostPlans: Int { 16 }

    private func renameAsPlanned(
        _ source: consuming Target, _ name: PathRef, to destination: consuming Target, _ newName: PathRef,
        _ flags: RenameFlags, _ caller: CallerIdentity
    ) throws(Errno) {
        try changes.checkParts(of: source.lookup)
        let refusal = changes.refusal(of: source.lookup)
        if flags == .exchange { throw refusal }
        if source.directory === destination.directory && name == newName { return }
        var rename = MergedRename(
            source: source, destination: destination, name: name, newName: newName, caller: caller,
            refusal: refusal)
        try changes.planMerged(&rename)
        try renameParts(&rename)
        reporting.leaveEmptied(rename.source.directory)
    }
}

extension Union {
    private func renameParts(_ rename: inout MergedRename) throws(Errno) {
        let prepared = try prepare(rename)
        let unlinked = unlinkedDestination(rename.destination, rename.newName)
        let leaving = OwnChange(coherence.noting, rename.source.directory, rename.name)
        let arriving = OwnChange(coherence.noting, rename.destination.directory, rename.newName)
        do throws(Errno) {
            try moveAsOne(&rename, prepared)
        } catch {
            if !rename.isTorn { takeBack(rename, prepared) }
            throw error
        }
        unlinked.nameIsGone()
        leaving.end(by: rename.caller)
        arriving.end(by: rename.caller)
        finishMerged(rename, prepared)
    }

    /// Marks the lowest part if need be, and writes down what is about to happen.
    private func prepare(_ rename: borrowing MergedRename) throws(Errno) -> MergedPreparation {
        let mustMark = isToBeMarked(rename)
        let aside = rename.inTheWay == nil ? nil : work.asideName()
        let record = try record(of: rename, aside: aside, marks: mustMark)
        let written: WrittenRename
        do throws(Errno) {
            written = try WrittenRename(record, in: work)
        } catch {
            // There is no place to write it down.
            throw error == .readOnlyFileSystem ? rename.refusal : error
        }
        do throws(Errno) {
            try shutOut(rename, mustMark: mustMark)
        } catch {
            written.erase()
            throw error
        }
        return MergedPreparation(isMarked: mustMark, aside: aside, written: written)
    }

    private func isToBeMarked(_ rename: borrowing MergedRename) -> Bool {
        guard rename.shutsOut, let lowest = rename.lowest else { return false }
        return !isMarkedComplete(rename.name, in: lowest.from)
    }

    /// Keeps out what lower layers have of the new name: it mustn't become part of the directory, from the
    /// directory's first moment there. (Nothing lies below the directory at its old name.)
    private func shutOut(_ rename: borrowing MergedRename, mustMark: Bool) throws(Errno) {
        guard rename.shutsOut, let lowest = rename.lowest else { return }
        do throws(Errno) {
            if mustMark { try markCompleteToMove(rename.name, in: lowest.from) }
        } catch {
            throw rename.refusal
        }
        lowerFloor(rename.source, rename.name, to: lowest.layerEntry.layer)
    }

    private func unmark(_ rename: borrowing MergedRename) {
        if let lowest = rename.lowest {
            try? layers.removeMark(.complete, from: rename.name, in: lowest.from)
        }
    }

    private func record(
        of rename: borrowing MergedRename, aside: [UInt8]?, marks: Bool
    ) throws(Errno) -> RenameRecord {
        var record = try emptyRecord(from: rename.source, rename.name, to: rename.destination, rename.newName)
        for part in rename.parts {
            let origin = try identify(rename.name, in: part.from, part.layerEntry.layer)
            let isReplacing = part.replaced != nil || part.layerEntry.layer.isUpper && rename.inTheWay != nil
            // Afterwards the one couldn't be told from the other.
            if origin.isKnownByNameAlone && isReplacing { throw rename.refusal }
            record.parts.append(origin)
            if marks, part.layerEntry.layer === rename.lowest?.layerEntry.layer { record.completed = origin }
            if part.replaced != nil && !part.isPseudo {
                record.remains.append(try identify(rename.newName, in: part.to, part.layerEntry.layer))
            }
        }
        record.isCovered = rename.cover != nil
        if rename.cover == nil {
            for layerEntry in rename.source.lookup.hidden where !layerEntry.isWhiteout {
                guard let directory = rename.source.view.directory(in: layerEntry.layer.index) else {
                    continue
                }
                record.remains.append(try identify(rename.name, in: directory, layerEntry.layer))
            }
        }
        record.aside = aside
        return record
    }

    /// Moves all parts. No request looks at either name until this returns.
    private func moveAsOne(
        _ rename: inout MergedRename, _ prepared: borrowing MergedPreparation
    ) throws(Errno) {
        let serial = resolver.mergedRenames.begin(
            MergedRenames.Move(
                from: EntryKey(rename.source.directory.id, rename.name),
                to: EntryKey(rename.destination.directory.id, rename.newName)))
        resolver.renames.begin()
        defer {
            resolver.mergedRenames.end(serial)
            resolver.renames.end()
        }
        try checkUnchanged(rename)
        var progress = MergedProgress()
        do throws(Errno) {
            try moveParts(&rename, prepared, &progress)
        } catch {
            rename.isTorn = !undo(rename, prepared, progress)
            throw error
        }
        removeRemains(&rename)
        guard let owner = rename.source.lookup.owner else { return }
        reporting.noteMoved(rename.source, rename.name, to: rename.destination, rename.newName, owner.layer) {
            moved in
            noteMakeup(of: moved, rename)
        }
    }

    /// Checks that the names are what they were when this was planned. ESTALE: they aren't.
    private func checkUnchanged(_ rename: borrowing MergedRename) throws(Errno) {
        for part in rename.parts {
            try check(rename.name, in: part.from, is: part.layerEntry.status)
            let replaced = part.layerEntry.layer.isUpper ? rename.inTheWay : part.replaced
            try check(rename.newName, in: part.to, is: replaced)
        }
        guard let upper = stack.upper, !rename.parts.contains(where: { $0.layerEntry.layer === upper }) else {
            return
        }
        // A request may have made a skeleton meanwhile.
        let path = try resolver.path(of: rename.name, in: rename.source.directory)
        if rename.source.lookup.unseen == nil, let stray = try? upper.openObject(at: path.ref) {
            _ = consume stray
            throw .staleNFSFileHandle
        }
    }

    private func check(
        _ name: PathRef, in directory: FileDescriptor, is expected: FileStatus?
    ) throws(Errno) {
        let now = try? directory.status(at: name)
        switch (now, expected) {
        case (nil, nil): return
        case (let now?, let expected?) where ObjectIdentity(expected, on: nil).matches(now): return
        default: throw .staleNFSFileHandle
        }
    }

    /// Takes in the directory's makeup with its new marks, so that they are no news later.
    private func noteMakeup(of node: Node, _ rename: borrowing MergedRename) {
        guard
            let lookup = try? resolver.dividedLookup(
                rename.destination.view, rename.newName, in: rename.destination.directory),
            let owner = lookup.owner, node.continues(as: Makeup(of: lookup)),
            let filesystem = try? resolver.filesystem(of: owner, rename.newName, rename.destination.view)
        else { return }
        reporting.setMakeup(
            Makeup(of: lookup), resolver.directoryOwner(owner, filesystem), of: node, begun: lookup.begun)
    }

    /// Clears up after nothing has moved, or everything is back.
    private func takeBack(_ rename: borrowing MergedRename, _ prepared: borrowing MergedPreparation) {
        if prepared.isMarked { unmark(rename) }
        prepared.written.erase()
    }

    /// Clears up after everything has moved.
    private func finishMerged(_ rename: borrowing MergedRename, _ prepared: borrowing MergedPreparation) {
        // This comes before the record is erased: only the record knows of what was put aside.
        if let aside = prepared.aside,
            let path = try? resolver.path(of: rename.newName, in: rename.destination.directory)
        {
            changes.discardAside(aside, of: path)
        }
        erase(prepared.written, after: rename.parts.filter { !$0.isPseudo }.flatMap { [$0.to, $0.from] })
    }
}

internal import LinuxSystem
internal import SystemPackage

// The real calls of a rename within one layer.
extension Union {
    /// Makes the rename itself. Writes it down first if further steps come after it.
    func moveReal(
        _ renaming: borrowing Renaming, _ from: FileDescriptor, _ to: FileDescriptor, _ flags: RenameFlags,
        _ written: inout WrittenRename?
    ) throws(Errno) {
        // It may replace a whiteout even with RENAME_NOREPLACE.
        let flags = renaming.plan.arrival.replaced == nil ? flags : []
        if try moveLeavingWhiteout(renaming, from, to, flags) { return }
        if renaming.plan.hasFurtherSteps && written == nil {
            written = try writeDown(renaming, from: from, to: to, marks: false)
        }
        try moveAlone(renaming, from, to, flags)
    }

    /// Renames and leaves a whiteout, in one step. False: a whiteout isn't wanted, or this filesystem or
    /// caller can't do that.
    private func moveLeavingWhiteout(
        _ renaming: borrowing Renaming, _ from: FileDescriptor, _ to: FileDescriptor, _ flags: RenameFlags
    ) throws(Errno) -> Bool {
        guard renaming.plan.mayLeaveWhiteout, !isSameObject(renaming.moving, renaming.plan.arrival.replaced)
        else { return false }
        do throws(Errno) {
            try layers.asCaller(renaming.caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(
                    from: from, renaming.name, to: to, renaming.newName, flags: flags.union(.whiteout))
            }
            return true
        } catch {
            // The rename without a whiteout tells of any other error.
            return false
        }
    }

    private func moveAlone(
        _ renaming: borrowing Renaming, _ from: FileDescriptor, _ to: FileDescriptor, _ flags: RenameFlags
    ) throws(Errno) {
        let (name, newName, there) = (renaming.name, renaming.newName, renaming.plan.arrival.replaced)
        if isSameObject(renaming.moving, there) {
            // It lies hidden there already, under a second name: rename(2) would do nothing.
            return try layers.asCaller(renaming.caller, in: from) { () throws(Errno) in
                try from.unlink(at: name)
            }
        }
        let isPseudo = renaming.source.view.isPseudo(in: renaming.layer)
        do {
            try layers.asCaller(renaming.caller, in: from, isPseudo: isPseudo) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName, flags: flags)
            }
        } catch {
            guard [.directoryNotEmpty, .fileExists, .notDirectory, .isDirectory].contains(error), let there
            else { throw error }
            // Another process has filled the directory that lies hidden. A user doesn't see why that should
            // be in the way.
            guard renaming.plan.swapsPlaces else {
                throw renaming.plan.arrival.replacesShown ? error : .improperLink
            }
            try changePlaces(renaming, there, from, to)
        }
    }

    /// Exchanges the object with what is at the new name: a directory can't replace a whiteout, nor a
    /// directory that holds whiteouts. What comes to the old name then goes, unless a whiteout is wanted
    /// there anyway.
    private func changePlaces(
        _ renaming: borrowing Renaming, _ there: LayerEntry, _ from: FileDescriptor, _ to: FileDescriptor
    ) throws(Errno) {
        let (name, newName) = (renaming.name, renaming.newName)
        try layers.asCaller(renaming.caller, in: from) { () throws(Errno) in
            try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
        }
        if renaming.plan.departure.isCovered && renaming.layer.isUpper { return }
        do {
            if there.isDirectory {
                let path = try resolver.path(of: newName, in: renaming.destination.directory)
                try layers.evict(name, in: from, at: path)
            } else {
                try from.unlink(at: name)
            }
        } catch {
            try? FileDescriptor.rename(from: to, newName, to: from, name, flags: .exchange)
            throw error
        }
    }
}

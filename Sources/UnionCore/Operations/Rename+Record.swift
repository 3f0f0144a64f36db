internal import LinuxSystem
internal import SystemPackage

// Renames of an object that one layer has, where they take several steps. A crash leaves none of it or all.
extension Union {
    /// Writes down what is about to happen. nil: there is no place to write it, or what is written couldn't
    /// tell afterwards how far the rename came. `marks`: the directory is about to be marked as complete for
    /// this rename.
    func writeDown(
        _ renaming: borrowing Renaming, from: FileDescriptor, to: FileDescriptor, marks: Bool
    ) throws(Errno) -> WrittenRename? {
        guard let record = try record(of: renaming, from: from, to: to, marks: marks) else { return nil }
        return try write(record)
    }

    /// Writes down the mark on a directory that an exchange takes from `name`, in the real directory `real`,
    /// to the other name. nil: there is no place to write it, or the directory is known by its name alone.
    func writeDownMark(
        _ layer: Layer, _ source: borrowing Target, _ name: PathRef, in real: FileDescriptor,
        to destination: borrowing Target, _ newName: PathRef
    ) throws(Errno) -> WrittenRename? {
        var record = try emptyRecord(from: source, name, to: destination, newName)
        let moving = try identify(name, in: real, layer)
        if moving.isKnownByNameAlone { return nil }
        record.parts = [moving]
        record.completed = moving
        return try write(record)
    }

    private func write(_ record: RenameRecord) throws(Errno) -> WrittenRename? {
        do {
            return try WrittenRename(record, in: work)
        } catch .readOnlyFileSystem {
            return nil
        }
    }

    private func record(
        of renaming: borrowing Renaming, from: FileDescriptor, to: FileDescriptor, marks: Bool
    ) throws(Errno) -> RenameRecord? {
        let (plan, layer) = (renaming.plan, renaming.layer)
        var record = try emptyRecord(
            from: renaming.source, renaming.name, to: renaming.destination, renaming.newName)
        let moving = try identify(renaming.name, in: from, layer)
        if moving.isKnownByNameAlone && plan.arrival.replaced != nil { return nil }
        record.parts = [moving]
        if marks { record.completed = moving }
        record.isCovered = plan.departure.isCovered
        if plan.swapsPlaces {
            record.remains = [try identify(renaming.newName, in: to, layer)]
        } else if isSameObject(renaming.moving, plan.arrival.replaced) {
            // It stands there already, under a second name.
            record.remains = [moving]
        }
        for layerEntry in plan.arrival.above {
            guard let directory = renaming.destination.view.directory(in: layerEntry.layer.index) else {
                continue
            }
            record.above.append(try identify(renaming.newName, in: directory, layerEntry.layer))
        }
        return record
    }

    func emptyRecord(
        from source: borrowing Target, _ name: PathRef, to destination: borrowing Target, _ newName: PathRef
    ) throws(Errno) -> RenameRecord {
        let old = try resolver.path(of: name, in: source.directory)
        let new = try resolver.path(of: newName, in: destination.directory)
        return RenameRecord(from: old.array, to: new.array)
    }

    func identify(
        _ name: PathRef, in directory: FileDescriptor, _ layer: Layer
    ) throws(Errno) -> OriginRecord {
        let object = try directory.openBeneath(name, flags: [.path, .noFollow])
        return try OriginRecord(of: object.descriptor, try object.descriptor.status(), in: layer)
    }

    /// Erases the record after all steps are done. The directories must be on disk before that, if the record
    /// is on another filesystem.
    func erase(_ written: borrowing WrittenRename, after directories: [FileDescriptor]) {
        let device = written.device
        for directory in directories where device == nil || (try? directory.status())?.device != device {
            synchronize(directory)
        }
        written.erase()
    }

    private func synchronize(_ directory: FileDescriptor) {
        do throws(Errno) {
            let opened = try directory.openBeneath("", flags: [.readOnly, .directory])
            try opened.descriptor.synchronize(dataOnly: false)
        } catch {
            layers.notices.post(.ignored(.synchronizeRename, path: nil, error), once: "synchronize \(error)")
        }
    }
}

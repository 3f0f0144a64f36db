internal import LinuxSystem
internal import UnionCore

extension InotifyMask {
    static func changes(of kind: WatchedKind) -> InotifyMask {
        switch kind {
        case .file: fileChanges
        case .directory: directoryChanges
        case .controlGroup: controlGroupChanges
        }
    }

    /// What a directory is watched for. `attributes` is for the directory's own; those of its entries come
    /// too, and are dropped.
    ///
    /// `modify` isn't among it, and so one change is missed: the kernel calls it modified when only a
    /// directory's time of modification is set, and not the time of access. With it every write to any file
    /// in the directory would wake us. Two such files in turn would fill the queue.
    static var directoryChanges: InotifyMask {
        [
            .create, .delete, .movedFrom, .movedTo, .attributes, .deleteSelf, .moveSelf, .onlyDirectory,
        ]
    }

    /// What a cgroup is watched for. A write that fails brings no `modify`, but may have made control files
    /// for a moment: when the file is closed, they are gone.
    static var controlGroupChanges: InotifyMask { directoryChanges.union([.modify, .closeWrite]) }

    /// What anything else is watched for. `attributes` tells of the number of links too. IN_EXCL_UNLINK isn't
    /// among it: a file that was opened by a name that it has lost may still have other names.
    static var fileChanges: InotifyMask {
        [.attributes, .modify, .closeWrite, .deleteSelf, .moveSelf]
    }

    private static var entryChanges: InotifyMask { [.create, .delete, .movedFrom, .movedTo] }
    private static var endings: InotifyMask { [.deleteSelf, .moveSelf, .unmounted] }
    private static var objectChanges: InotifyMask { [.attributes, .modify, .closeWrite] }

    /// What an event with this mask and name tells. nil: nothing that counts. An entry's own attributes and
    /// content are such a case: where they matter, the entry's object has a watch of its own. A control file
    /// of a cgroup has none.
    func change(of name: PathRef) -> ChangeEvent.Kind? {
        if !name.isEmpty {
            if isDisjoint(with: .entryChanges) { return controlChange(of: name) }
            guard contains(.isDirectory) else { return .entry }
            return isDisjoint(with: [.create, .movedTo]) ? .directoryWent : .directoryCame
        }
        if !isDisjoint(with: .endings) { return .gone }
        return isDisjoint(with: .objectChanges) ? nil : .object
    }

    /// Whoever opens a control file and truncates it sets its times by that.
    private func controlChange(of name: PathRef) -> ChangeEvent.Kind? {
        if contains(.isDirectory) { return nil }
        if isDisjoint(with: [.modify, .closeWrite]) { return .controlAttributes }
        return ControlScope(writtenTo: name).map { .controls($0) } ?? .controlAttributes
    }
}

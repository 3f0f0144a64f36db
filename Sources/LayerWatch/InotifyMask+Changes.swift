internal import LinuxSystem
internal import UnionCore

extension InotifyMask {
    static func changes(of kind: WatchedKind) -> InotifyMask {
        switch kind {
        case .file: fileChanges
        case .directory: directoryChanges
        case .directoryWithFiles: directoryChanges.union(.modify)
        case .controlGroup: controlGroupChanges
        }
    }

    /// What a directory is watched for. `attributes` is for the directory's own, and for those of its files.
    /// What the watch is there for already, it goes on to be there for.
    ///
    /// `modify` is among it only while files are kept by their directory's watch, and so one change is missed
    /// otherwise: the kernel calls it modified when only a directory's time of modification is set, and not the
    /// time of access. With it every write to any file in the directory wakes us. Two such files in turn would
    /// fill the queue.
    static var directoryChanges: InotifyMask { onlyDirectoryChanges.union(.addToMask) }

    /// The same, and nothing else that the watch is there for.
    static var onlyDirectoryChanges: InotifyMask {
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

    /// What an event with this mask and name tells. nil: nothing that counts. A directory's own attributes
    /// its own watch tells.
    func change(of name: PathRef) -> ChangeEvent.Kind? {
        if !name.isEmpty {
            if isDisjoint(with: .entryChanges) { return fileChange }
            guard contains(.isDirectory) else { return .entry }
            return isDisjoint(with: [.create, .movedTo]) ? .directoryWent : .directoryCame
        }
        if !isDisjoint(with: .endings) { return .gone }
        return isDisjoint(with: .objectChanges) ? nil : .object
    }

    private var fileChange: ChangeEvent.Kind? {
        if contains(.isDirectory) { return nil }
        return isDisjoint(with: [.modify, .closeWrite]) ? .fileAttributes : .fileContent
    }
}

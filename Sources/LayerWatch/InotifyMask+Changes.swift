internal import LinuxSystem
internal import UnionCore

extension InotifyMask {
    /// What a directory is watched for. `attributes` is meant for the directory's own: those of its entries
    /// come too, and are dropped.
    ///
    /// Not `modify`, and so not one change: when a directory's time of modification is set and nothing else,
    /// the time of access neither, the kernel calls that modified. With it every write to any file in the
    /// directory would wake us, and two of them in turn fill the queue.
    static var directoryChanges: InotifyMask {
        [
            .create, .delete, .movedFrom, .movedTo, .attributes, .deleteSelf, .moveSelf, .onlyDirectory,
        ]
    }

    /// What anything else is watched for. `attributes` tells of the number of links too. Not
    /// IN_EXCL_UNLINK: a file that was opened by a name it no longer has may still have others.
    static var fileChanges: InotifyMask {
        [.attributes, .modify, .closeWrite, .deleteSelf, .moveSelf]
    }

    private static var entryChanges: InotifyMask { [.create, .delete, .movedFrom, .movedTo] }
    private static var endings: InotifyMask { [.deleteSelf, .moveSelf, .unmounted] }
    private static var objectChanges: InotifyMask { [.attributes, .modify, .closeWrite] }

    /// What an event with this mask tells; nil when nobody cares. An entry's own attributes and content are
    /// such a case: where they matter, the entry's object has a watch of its own.
    func change(isNamed: Bool) -> ChangeEvent.Kind? {
        if isNamed {
            if isDisjoint(with: .entryChanges) { return nil }
            guard contains(.isDirectory) else { return .entry }
            return isDisjoint(with: [.create, .movedTo]) ? .directoryWent : .directoryCame
        }
        if !isDisjoint(with: .endings) { return .gone }
        return isDisjoint(with: .objectChanges) ? nil : .object
    }
}

internal import LinuxSystem
internal import SystemPackage

// The flags that chattr(1) sets.
//
// A layer obeys the flags of its own directories. But what goes into the upper below a lower's directory goes
// into a skeleton, which has no flags. And what a whiteout hides isn't touched at all.

/// What a change does with a name.
enum NameChange {
    /// Gives it to something.
    case put
    /// Takes it from what has it.
    case take
    /// Gives it to something, whatever has it.
    case replace
}

extension Changes {
    /// Throws EPERM if the directory's owner, or what the name stands for, has a flag that forbids the
    /// change.
    func checkFlags(
        of view: borrowing DirectoryView, _ lookup: NameLookup, for change: NameChange
    ) throws(Errno) {
        let takes = change == .take || change == .replace && lookup.isVisible
        if takes, let taken = lookup.owner?.status, taken.isImmutable || taken.isAppendOnly {
            throw .notPermitted
        }
        guard let owner = try flagsOwner(of: view) else { return }
        if owner.isImmutable || takes && owner.isAppendOnly { throw .notPermitted }
    }

    /// The status of the directory's owner if it has such flags. nil: it has none, or is the directory that
    /// is changed anyway.
    private func flagsOwner(of view: borrowing DirectoryView) throws(Errno) -> FileStatus? {
        guard let top = view.backings.first, view.count > 1 || !top.layer.isUpper else { return nil }
        for backing in view.backings.prefix(2) {
            let status = try backing.directory.status()
            if status.isImmutable || status.isAppendOnly { return status }
            // The next backing is the owner only below a skeleton.
            guard backing.layer.isUpper, !backing.isRoot, layers.marks(of: backing).contains(.skeleton) else {
                break
            }
        }
        return nil
    }
}

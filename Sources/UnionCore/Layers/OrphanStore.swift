internal import LinuxSystem
internal import SystemPackage

// Orphans in the way of something new. Those without entries go. Those with entries (with `orphans=hide`
// only, or they would show) are moved to the work area's store, and `switchfs orphans` brings them back. Each
// is there under its inode number, and is marked with its path in the union and its origin.

extension Layers {
    /// Makes room at `name` in a directory of the upper, where something stands that the union doesn't show.
    /// Does nothing if something else than `expected` stands there by now.
    ///
    /// It takes the steps in such an order that a crash loses nothing: the path is marked while the orphan is
    /// still in its place.
    func stash(
        _ name: PathRef, in parent: FileDescriptor, at path: borrowing PathBuffer,
        expecting expected: FileStatus
    ) throws(Errno) {
        try work.oneAtATime { () throws(Errno) in
            guard let status = try? parent.status(at: name), ObjectIdentity(expected, on: nil).matches(status)
            else {
                return
            }
            guard hasEntries(name, in: parent) else { return try removeTree(name, in: parent) }
            try setMark(.path, path.ref, on: name, in: parent)
            let store = try work.orphans()
            let stored = OwnedName(String(status.inode))
            try putInPlace(name, from: parent, stored.ref, in: store)
        }
    }

    /// Takes a directory of the upper of which the union shows nothing out of the tree. What it may hold
    /// unseen is kept.
    func evict(
        _ name: PathRef, in parent: FileDescriptor, at path: borrowing PathBuffer
    ) throws(Errno) {
        guard policies.orphans == .hide else { return try removeTree(name, in: parent) }
        let status = try parent.status(at: name)
        try stash(name, in: parent, at: path, expecting: status)
    }

    /// Takes a directory of the upper out of the tree in one step, and removes it.
    func removeTree(_ name: PathRef, in parent: FileDescriptor) throws(Errno) {
        let staging = try work.directory()
        let temporary = work.temporaryName()
        try FileDescriptor.rename(from: parent, name, to: staging, temporary.ref)
        work.discard(temporary.ref)
    }
}

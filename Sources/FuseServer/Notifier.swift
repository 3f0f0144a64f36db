internal import CFuse3
public import LinuxSystem
public import SystemPackage
public import UnionCore

/// Tells the kernel to drop what it keeps. Never from a thread that serves requests, nor under a lock that
/// one of them may wait for: the kernel takes the directory's own lock.
public struct Notifier: Sendable {
    let session: SessionPointer

    /// Drops the name, whether it is there or not. ENOENT when the kernel doesn't know the directory or
    /// the name.
    public func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) {
        let result = unsafe fuse_lowlevel_notify_inval_entry(
            session.pointer, parent.rawValue, name.base, name.count)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// Drops the attributes; with `content` also cached data, of a directory the listing. ENOENT when the
    /// kernel doesn't know the node.
    public func dropNode(_ node: NodeID, content: Bool) throws(Errno) {
        let result = unsafe fuse_lowlevel_notify_inval_inode(
            session.pointer, node.rawValue, content ? 0 : -1, 0)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}

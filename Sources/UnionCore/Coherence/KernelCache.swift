public import LinuxSystem
public import SystemPackage

/// What the kernel keeps of the union, and how the kernel is told to drop it. The part that serves the union
/// implements it. Only `dropNode` without `content` never waits. The others may wait for a lock in the kernel,
/// so a thread that serves requests must not call them. ENOENT: the kernel has nothing of it.
public protocol KernelCache: Sendable {
    /// Drops the name in the directory, whether the kernel knows it as an object or as missing. With an
    /// object goes all that is mounted on it and below it, in every mount namespace.
    func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno)
    /// Drops the node's attributes; with `content` a directory's listing too, and a file's pages.
    func dropNode(_ node: NodeID, content: Bool) throws(Errno)
    /// Has the name asked for at the next look. What is mounted on it or below it stays if the answer doesn't
    /// change.
    func expireEntry(_ parent: NodeID, _ name: PathRef) throws(Errno)
}

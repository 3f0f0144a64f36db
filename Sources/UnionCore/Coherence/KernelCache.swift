public import LinuxSystem
public import SystemPackage

/// What the kernel keeps of the union, and how it is told to drop it; implemented by what serves the
/// union. All but `dropNode` without `content` may wait for a lock in the kernel: never from a thread that serves requests.
/// ENOENT: the kernel has nothing of it.
public protocol KernelCache: Sendable {
    /// Drops the name in the directory, whether it is known as something or as missing. With something goes all that is
    /// mounted on it and below it, in every mount namespace.
    func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno)
    /// Drops the attributes; with `content` a directory's listing too, and a file's pages.
    func dropNode(_ node: NodeID, content: Bool) throws(Errno)
    /// Has the name asked for at the next look; what is mounted on it or below it stays, if the answer is the same.
    func expireEntry(_ parent: NodeID, _ name: PathRef) throws(Errno)
}

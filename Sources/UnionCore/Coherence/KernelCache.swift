public import LinuxSystem
public import SystemPackage

/// What the kernel keeps of the union, and how it is told to drop it; implemented by whoever serves the
/// union. The calls may wait for a directory's lock in the kernel: never from a thread that serves requests.
/// ENOENT: the kernel has nothing of it.
public protocol KernelCache: Sendable {
    /// Drops the name in the directory, positive or negative.
    func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno)
    /// Drops the attributes; with `content` a directory's listing too, and a file's pages.
    func dropNode(_ node: NodeID, content: Bool) throws(Errno)
    /// Has every name asked for again. EINVAL where the kernel has no such notification (it came with 6.16).
    func dropAllNames() throws(Errno)
}

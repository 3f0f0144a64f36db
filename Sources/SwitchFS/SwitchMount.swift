import LinuxSystem
public import Logging
import SystemPackage
public import UnionCore

/// A union that this process mounted and serves.
///
/// ```swift
/// let mount = try SwitchMount(
///     MountOptions(lowers: ["/sys/fs/cgroup"], upper: "/srv/notes"), at: "/mnt/cgroup")
/// print(mount.status.passthrough.enabled)
/// mount.unmount()
/// ```
///
/// The union is served by threads of its own and lives until it is unmounted, by this object, by
/// `umount` or by the process's end. Signals are the program's business, but SIGUSR2 is taken: it interrupts requests.
public final class SwitchMount: Sendable {
    private let server: MountServer
    private let thread: WorkerThread

    /// Mounts; returns when the union answers. Throws with nothing mounted and nothing changed.
    public convenience init(
        _ options: MountOptions, at mountPoint: String, selector: (any BranchSelector)? = nil,
        logger: Logger = Logger(label: "switchfs")
    ) throws(MountError) {
        try self.init(MountRequest(options, at: mountPoint, selector: selector), logger: logger)
    }

    /// As above, for a request that was checked before.
    public init(
        _ request: MountRequest, logger: Logger = Logger(label: "switchfs")
    ) throws(MountError) {
        let server = try MountServer(request, debug: false, logger: logger)
        do throws(Errno) {
            // Whoever unmounts it: all is stopped and closed then.
            thread = try WorkerThread.spawn(name: "switchfs") { server.waitForEnd() }
        } catch {
            server.stop()
            server.waitForEnd()
            throw .failure("cannot start a thread: \(error)")
        }
        self.server = server
    }

    /// Absolute, links resolved.
    public var mountPoint: String { server.mountPoint }

    /// What `switchfs status` shows.
    public var status: MountStatus { server.status() }

    /// How a path in the union resolves, as `switchfs explain` shows it. The path starts at the union's root.
    public func explain(_ path: String) throws(MountError) -> Explanation {
        try server.explain(Array(path.utf8))
    }

    /// Returns when every change made underneath before this call is visible in the mount.
    public func sync() { server.synchronize() }

    /// What `switchfs orphans` shows.
    public func orphans() throws(MountError) -> [Orphan] { try server.orphans() }

    /// Brings an orphan back for good, to the directory that has its path now.
    public func restoreOrphan(_ id: String) throws(MountError) { try server.restoreOrphan(id) }

    /// Removes an orphan with all that it holds.
    public func purgeOrphan(_ id: String) throws(MountError) { try server.purgeOrphan(id) }

    public func purgeAllOrphans() throws(MountError) { try server.purgeAllOrphans() }

    /// Marks a directory as holding every entry itself, or takes that back. The path starts at the union's root.
    public func setComplete(_ isComplete: Bool, _ path: String) throws(MountError) {
        try server.setComplete(isComplete, Array(path.utf8))
    }

    /// Ends the mount and waits until all is closed. What is still open in it gives ENOTCONN from here on.
    public func unmount() {
        server.stop()
        thread.join()
    }

    /// Waits until somebody has unmounted it.
    public func waitUntilUnmounted() {
        thread.join()
    }
}

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

    /// Mounts; returns when the union answers.
    ///
    /// - Parameters:
    ///   - options: The layers and everything else that a mount command says.
    ///   - mountPoint: A directory; a relative path is taken from the working directory.
    ///   - selector: A policy of the program's own, in place of the options' rules file.
    ///   - logger: Where the union's own events go.
    /// - Throws: ``MountError``, with nothing mounted and nothing changed: of kind ``MountError/Kind/usage`` where the options
    ///   lack something or contradict each other, of kind ``MountError/Kind/failure`` where what they ask for can't be had.
    public convenience init(
        _ options: MountOptions, at mountPoint: String, selector: (any BranchSelector)? = nil,
        logger: Logger = Logger(label: "switchfs")
    ) throws(MountError) {
        try self.init(MountRequest(options, at: mountPoint, selector: selector), logger: logger)
    }

    /// Mounts what was checked before; returns when the union answers. Throws ``MountError`` of kind
    /// ``MountError/Kind/failure``, with nothing mounted and nothing changed.
    public init(
        _ request: MountRequest, logger: Logger = Logger(label: "switchfs")
    ) throws(MountError) {
        let server = try MountServer(request, debug: false, logger: logger)
        do throws(Errno) {
            // However it is unmounted: all is stopped and closed then.
            thread = try WorkerThread.spawn(name: "switchfs") { server.waitForEnd() }
        } catch {
            server.stop()
            server.waitForEnd()
            throw .failure("cannot start a thread: \(error)")
        }
        self.server = server
    }

    /// Where the union is mounted: absolute, links resolved.
    public var mountPoint: String { server.mountPoint }

    /// What the mount is made of and has done up to now, as `switchfs status` shows it.
    public var status: MountStatus { server.status() }

    /// How a path in the union resolves, as `switchfs explain` shows it. The path starts at the union's root and need not
    /// exist. Throws ``MountError`` of kind ``MountError/Kind/failure`` where the directory that it is in doesn't.
    public func explain(_ path: String) throws(MountError) -> Explanation {
        try server.explain(Array(path.utf8))
    }

    /// Returns when every change made underneath before this call is visible in the mount. There is no limit of time.
    public func sync() { server.synchronize() }

    /// The orphans that hold anything, as `switchfs orphans` shows them; of nested ones the outermost. Throws ``MountError``
    /// of kind ``MountError/Kind/failure`` where the upper can't be read.
    public func orphans() throws(MountError) -> [Orphan] { try server.orphans() }

    /// Brings an orphan back for good, to the directory that has its path now.
    ///
    /// Throws ``MountError`` of kind ``MountError/Kind/failure`` where there is none of this id, where the directory that held
    /// it is gone, where one of its names is in use, and where the upper is read-only; then nothing was moved.
    public func restoreOrphan(_ id: String) throws(MountError) { try server.restoreOrphan(id) }

    /// Removes an orphan with all that it holds. Throws ``MountError`` of kind ``MountError/Kind/failure`` where there is
    /// none of this id, and where something of it can't be removed.
    public func purgeOrphan(_ id: String) throws(MountError) { try server.purgeOrphan(id) }

    /// Removes all orphans with all that they hold. Throws ``MountError`` of kind ``MountError/Kind/failure`` where one
    /// couldn't be removed; others may be gone then.
    public func purgeAllOrphans() throws(MountError) { try server.purgeAllOrphans() }

    /// Marks a directory as holding every entry itself, or takes that back. The path starts at the union's root.
    ///
    /// Throws ``MountError`` of kind ``MountError/Kind/failure`` where it is no directory, is the root, or its layer is
    /// read-only or takes no marks.
    public func setComplete(_ isComplete: Bool, _ path: String) throws(MountError) {
        try server.setComplete(isComplete, Array(path.utf8))
    }

    /// Ends the mount and waits until all is closed, without a limit of time. What is still open in it gives ENOTCONN from
    /// here on. May be called more than once.
    public func unmount() {
        server.stop()
        thread.join()
    }

    /// Waits until somebody has unmounted it, and all is closed.
    public func waitUntilUnmounted() {
        thread.join()
    }
}

internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
public import Logging
internal import Synchronization
internal import SystemPackage
public import UnionCore

/// One mounted union: from mount(2) to the last thread's end.
///
/// The order of use: a `DeviceBackingStore`, a `Union` made with it, this session, which mounts, then `start`;
/// `waitForEnd`, `endThreads` and `close` when it is over. A start that fails is ended by `stop`, `endThreads` and
/// `close`. A process that goes to the background forks before it makes the session.
public final class Session: Sendable {
    private enum Phase {
        case mounted, stopping, closed
    }

    private let server: Server
    private let mountPoint: MountPoint
    private let backing: DeviceBackingStore
    private let handle: SessionPointer
    private let pool: WorkerPool
    private let phase = Mutex(Phase.mounted)
    private let isStuck = Atomic<Bool>(false)
    private let teller = Mutex<Teller?>(nil)

    /// Opens the device and mounts; nothing is served before `start`. Throws when it can't, leaving nothing
    /// mounted or open.
    public init(
        options: ServerOptions, union: Union, backing: DeviceBackingStore, logger: Logger
    ) throws(SessionError) {
        let (mountPoint, device) = try MountPoint.mount(options)
        self.mountPoint = mountPoint
        self.backing = backing
        server = Server(union: union, options: options, device: device, backing: backing, logger: logger)
        guard let handle = SessionPointer(server) else {
            try? mountPoint.unmount()
            throw SessionError("libfuse could not make a session")
        }
        self.handle = handle
        pool = WorkerPool(server: server, session: handle)
    }

    /// Whether and how passthrough was agreed on; decided by `start`.
    public var passthrough: PassthroughState { server.negotiation.passthrough }
    public var counters: RequestCounters { server.counters }
    public var errors: ErrorCounters { server.errors }
    /// Threads that serve requests or wait for them.
    public var notifier: Notifier { Notifier(session: handle, device: server.device) }

    /// Returns once the mount answers. Throws when there are no threads for that, or the kernel won't agree on what
    /// the options require; what was started till then is still to be ended.
    public func start() throws(SessionError) {
        do throws(Errno) {
            try Signals.installInterruptHandler()
        } catch {
            throw SessionError("cannot install the handler that interrupts requests: \(error)")
        }
        try serveInit()
        try server.negotiation.finish()
        do throws(Errno) {
            try pool.start()
        } catch {
            throw SessionError("cannot start a thread: \(error)")
        }
        startTellingAhead()
    }

    /// Directories are told ahead where that can be had.
    private func startTellingAhead() {
        guard let needed = server.union.processorsToTellAhead, ResourceLimits.processorCount >= needed,
            let teller = try? Teller(server.union, mountPoint: server.options.mountPoint),
            (try? teller.start()) != nil
        else { return }
        self.teller.withLock { $0 = teller }
    }

    /// The kernel sends INIT, and nothing else before its answer.
    private func serveInit() throws(SessionError) {
        do throws(Errno) {
            let channel = try Channel(server: server)
            channel.enterThread()
            defer { channel.leaveThread() }
            while !server.negotiation.isDone {
                do throws(Errno) {
                    unsafe channel.answer(handle.pointer, length: try channel.receive())
                } catch .interrupted {}
            }
        } catch {
            throw SessionError("the kernel did not begin the connection: \(error)")
        }
    }

    /// Returns when no thread serves requests any more: the union was unmounted, or `stop` was called.
    public func waitForEnd() {
        pool.waitForEnd()
        guard pool.hasFailed else { return }
        // Or a mount would be left that nobody answers for.
        stop()
        // If that was under way already, it isn't through yet.
        endWorkers()
    }

    /// Unmounts, and has the threads that serve requests end, from any thread but one of these. Files that clients
    /// still have open give ENOTCONN from here on. A second call does nothing.
    public func stop() {
        let isFirst = phase.withLock { phase in
            guard phase == .mounted else { return false }
            phase = .stopping
            return true
        }
        guard isFirst else { return }
        endTeller()
        do throws(Errno) {
            try mountPoint.unmount()
        } catch {
            // EINVAL: somebody else has just unmounted it.
            if error != .invalidArgument { server.logger.error("cannot unmount: \(error)") }
        }
        endWorkers()
    }

    /// Ends the threads that tell ahead. Their requests are answered only while there are workers.
    private func endTeller() {
        guard let teller = teller.withLock({ $0.take() }) else { return }
        if !teller.end(within: 5) { isStuck.store(true, ordering: .releasing) }
    }

    private func endWorkers() {
        guard !pool.end(within: 5) else { return }
        isStuck.store(true, ordering: .releasing)
        server.logger.error("a request does not end; leaving it behind")
        pool.abandon()
    }

    /// Ends the threads beside those that serve requests, which have ended.
    public func endThreads() {
        endTeller()
        pool.endStandby()
        if !server.lockWaiters.end(within: 5) { isStuck.store(true, ordering: .releasing) }
        server.interrupter.end()
        server.polls.end()
    }

    /// Closes the connection, once. Nobody uses the session or its notifier any more.
    public func close() {
        let wasClosed = phase.withLock { phase in
            defer { phase = .closed }
            return phase == .closed
        }
        // A stuck thread still uses all of it; the process is about to end anyway.
        guard !wasClosed, !isStuck.load(ordering: .acquiring) else { return }
        backing.disconnect()
        unsafe sfs_session_destroy(handle.pointer)
    }
}

/// libfuse's session, shared by all threads, which libfuse allows.
@safe struct SessionPointer: @unchecked Sendable {
    let pointer: OpaquePointer

    /// nil when libfuse refuses. The server must outlive it.
    init?(_ server: Server) {
        guard let device = try? server.device.duplicate().release() else { return nil }
        var table = operationTable(locks: server.union.needsLocks)
        let userdata = unsafe Unmanaged.passUnretained(server).toOpaque()
        guard let session = unsafe sfs_session_new(&table, userdata, device.rawValue) else { return nil }
        unsafe pointer = unsafe session
    }
}

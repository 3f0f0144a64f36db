internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// The threads that serve requests: as many as are busy, and at least one that waits.
///
/// A thread that takes a request and leaves none waiting starts another one, so that requests which block
/// (a read of a pipe, a layer that hangs) hold up nobody. A thread that has answered and sees enough others
/// waiting ends. Threads that wait sleep in read(2): an idle mount wakes nobody.
final class WorkerPool: Sendable {
    /// More than this are never started; the kernel keeps what they can't take yet.
    private static let most = 1000
    /// So many may wait for ever.
    private static let kept = 4
    /// For so long after the last shortage none ends, in seconds.
    private static let patience: UInt64 = 2
    /// Bytes. Handlers nest no deeper than a few dozen frames; the largest of them take some 4 KiB.
    private static let stackSize = 512 * 1024

    private let server: Server
    private let session: SessionPointer
    private let waiting = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    /// When there was last no thread waiting, in seconds of the monotonic clock.
    private let lastShortage = Atomic<UInt64>(0)
    private let threads = Mutex<Set<ThreadID>>([])
    /// All threads that were started, those that are not in `threads` yet included.
    private let alive = Atomic<Int>(0)
    private let ended = Semaphore()

    init(server: Server, session: SessionPointer) {
        self.server = server
        self.session = session
    }

    var count: Int { alive.load(ordering: .relaxed) }
    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    // --- a worker's view

    @inline(__always)
    func beginWaiting() {
        waiting.add(1, ordering: .relaxed)
    }

    /// How many still wait.
    @inline(__always) @discardableResult
    func endWaiting() -> Int {
        waiting.subtract(1, ordering: .relaxed).newValue
    }

    /// Whether the thread that asks, having answered, may end.
    @inline(__always)
    var hasSurplus: Bool {
        waiting.load(ordering: .relaxed) >= WorkerPool.kept
            && monotonicSeconds() > lastShortage.load(ordering: .relaxed) + WorkerPool.patience
    }

    /// Nobody is left to take the next request: starts a thread.
    func takeShortage() {
        lastShortage.store(monotonicSeconds(), ordering: .relaxed)
        guard !isStopping, alive.load(ordering: .relaxed) < WorkerPool.most else { return }
        do throws(Errno) {
            try start()
        } catch {
            // Others will be back from their requests: late, but not lost.
            server.logger.warning("no further worker thread: \(error)")
        }
    }

    // --- the session's view

    /// Starts one more thread. EAGAIN when the system has no more.
    func start() throws(Errno) {
        alive.add(1, ordering: .relaxed)
        do throws(Errno) {
            let thread = try WorkerThread.spawn(name: "switchfs-worker", stackSize: WorkerPool.stackSize) {
                [self] in work()
            }
            thread.detach()
        } catch {
            retire()
            throw error
        }
    }

    private func work() {
        let thread = ThreadID.current
        _ = threads.withLock { $0.insert(thread) }
        do throws(Errno) {
            try ThreadSetup.prepareRequestThread()
            let channel = try Channel(server: server)
            channel.enterThread()
            unsafe channel.serveRequests(session.pointer, self)
            channel.leaveThread()
        } catch {
            server.logger.error("a worker thread could not start: \(error)")
        }
        _ = threads.withLock { $0.remove(thread) }
        retire()
    }

    private func retire() {
        if alive.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ended.raise() }
    }

    /// Waits until no thread is left, or `abandon` was called.
    func waitForEnd() { ended.wait() }

    /// Has every thread end: those that wait at once, those that serve a request when it is answered, which
    /// a signal makes sooner. False when some have not after `seconds`.
    func end(within seconds: Int) -> Bool {
        stopping.store(true, ordering: .releasing)
        for _ in 0..<(seconds * 100) {
            guard count > 0 else { return true }
            threads.withLock { threads in
                for thread in threads { try? thread.signal(.interruptRequest) }
            }
            pause(milliseconds: 10)
        }
        return count == 0
    }

    /// Lets `waitForEnd` return although a thread is stuck.
    func abandon() { ended.raise() }
}

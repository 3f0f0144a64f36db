internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// The threads that serve requests.
///
/// One of them reads; the others are parked. Most requests are answered faster than another thread wakes up.
/// So the thread that reads a request answers it and reads the next, and no other is woken. More threads read
/// if there are more clients than one reader can serve (it finds requests waiting), or if a request takes
/// long (`Standby` sees that no thread reads). An idle mount wakes no thread.
final class WorkerPool: Sendable {
    /// The most threads. The kernel keeps the requests that they can't take yet.
    private static let most = 1000
    /// So many threads may be parked for ever.
    private static let kept = 4
    /// For so many seconds after the last shortage no thread ends.
    private static let patience: UInt64 = 2
    /// In bytes. Handlers nest no deeper than a few dozen frames; the largest of them take some 4 KiB.
    private static let stackSize = 512 * 1024

    private let server: Server
    private let session: SessionPointer
    /// How many threads read, or will read again when they have answered.
    private let readers = Atomic<Int>(0)
    /// How many readers wait for a request.
    private let waiting = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    private let parking = Semaphore()
    private let stopping = Atomic<Bool>(false)
    private let failed = Atomic<Bool>(false)
    /// When a reader was last missing, in seconds of the monotonic clock.
    private let lastShortage = Atomic<UInt64>(0)
    private let threads = Mutex<Set<ThreadID>>([])
    /// How many threads were started, those that aren't in `threads` yet included.
    private let alive = Atomic<Int>(0)
    private let ended = Semaphore()
    private let standby = Standby()
    /// How the first worker's set-up went. `start` waits for it.
    private let setUp = Mutex<Result<Void, Errno>?>(nil)
    private let hasSetUp = Semaphore()
    /// The most readers for more clients than one: as many as there are processors to run them.
    let mostReaders = ResourceLimits.processorCount

    init(server: Server, session: SessionPointer) {
        self.server = server
        self.session = session
    }

    var count: Int { alive.load(ordering: .relaxed) }
    var isStopping: Bool { stopping.load(ordering: .acquiring) }
    /// Whether requests can't be read any more, though the union wasn't unmounted.
    var hasFailed: Bool { failed.load(ordering: .acquiring) }
    var hasWaiting: Bool { waiting.load(ordering: .sequentiallyConsistent) > 0 }

    // --- a reader's view

    /// Begins to wait. Returns how many others wait.
    @inline(__always)
    func beginWaiting() -> Int { waiting.add(1, ordering: .sequentiallyConsistent).oldValue }

    @inline(__always)
    func endWaiting() {
        waiting.subtract(1, ordering: .sequentiallyConsistent)
        standby.noteTaken()
    }

    /// Leaves the waiting, and the readers, to another thread that waits. False: there is none.
    func tryLeaveWaiting() -> Bool {
        var count = waiting.load(ordering: .sequentiallyConsistent)
        while count >= 2 {
            let (exchanged, current) = waiting.compareExchange(
                expected: count, desired: count - 1, ordering: .sequentiallyConsistent)
            if exchanged {
                leaveReading()
                return true
            }
            count = current
        }
        return false
    }

    func leaveReading() { readers.subtract(1, ordering: .sequentiallyConsistent) }

    /// Lets another thread read meanwhile, as the request may block. It does so only if requests took long of
    /// late; otherwise `Standby` is soon enough.
    @inline(__always)
    func mayBlock(_ channel: Channel) {
        if standby.isCautious { handOver(channel) }
    }

    /// Lets another thread read meanwhile, as the request takes long.
    func handOver(_ channel: Channel) {
        guard channel.isReading else { return }
        channel.isReading = false
        leaveReading()
        if !hasWaiting { addReader() }
    }

    /// Makes the thread a reader again. False: another thread waits already.
    func rejoinReading(_ channel: Channel) -> Bool {
        guard !hasWaiting else { return false }
        readers.add(1, ordering: .sequentiallyConsistent)
        channel.isReading = true
        return true
    }

    /// Adds a reader, if there are fewer than `limit`.
    func addReader(atMost limit: Int = WorkerPool.most) {
        guard !isStopping else { return }
        var count = readers.load(ordering: .sequentiallyConsistent)
        while true {
            guard count < limit else { return }
            let (exchanged, current) = readers.compareExchange(
                expected: count, desired: count + 1, ordering: .sequentiallyConsistent)
            if exchanged { break }
            count = current
        }
        lastShortage.store(monotonicSeconds(), ordering: .relaxed)
        if unpark() { return }
        do throws(Errno) {
            guard alive.load(ordering: .relaxed) < WorkerPool.most else {
                throw .resourceTemporarilyUnavailable
            }
            try startThread()
        } catch {
            leaveReading()
            // Other threads will be back from their requests: late, but not lost.
            server.logger.warning("no further worker thread: \(error)")
        }
    }

    private func unpark() -> Bool {
        var count = parked.load(ordering: .sequentiallyConsistent)
        while count > 0 {
            let (exchanged, current) = parked.compareExchange(
                expected: count, desired: count - 1, ordering: .sequentiallyConsistent)
            if exchanged {
                parking.raise()
                return true
            }
            count = current
        }
        return false
    }

    /// Sleeps until the thread must read. False: there are enough threads, or the end has come.
    private func park() -> Bool {
        let isLate = monotonicSeconds() > lastShortage.load(ordering: .relaxed) + WorkerPool.patience
        if parked.load(ordering: .relaxed) >= WorkerPool.kept && isLate { return false }
        parked.add(1, ordering: .sequentiallyConsistent)
        if isStopping { _ = unpark() }
        parking.wait()
        return !isStopping
    }

    // --- the session's view

    /// Starts the first reader, and the standby thread, which makes sure that there is always one. Returns when
    /// the reader is ready to read. EAGAIN: the system has no more threads; what was started until then must
    /// still be ended.
    func start() throws(Errno) {
        try standby.start(self)
        readers.add(1, ordering: .sequentiallyConsistent)
        try startThread()
        hasSetUp.wait()
        try setUp.withLock { $0 }?.get()
    }

    private func startThread() throws(Errno) {
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
            let channel = try Channel(server: server, pool: self)
            channel.enterThread()
            noteSetUp(.success(()))
            while unsafe channel.serveRequests(session.pointer, self), park() {}
            channel.leaveThread()
        } catch {
            leaveReading()
            server.logger.error("a worker thread could not start: \(error)")
            noteSetUp(.failure(error))
        }
        _ = threads.withLock { $0.remove(thread) }
        retire()
    }

    /// Notes how a worker's set-up went. Only the first worker's counts, as `start` waits for no other.
    private func noteSetUp(_ result: Result<Void, Errno>) {
        let isFirst = setUp.withLock { setUp in
            guard setUp == nil else { return false }
            setUp = result
            return true
        }
        if isFirst { hasSetUp.raise() }
    }

    private func retire() {
        if alive.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ended.raise() }
    }

    /// Waits until no worker is left, or `abandon` or `fail` was called.
    func waitForEnd() { ended.wait() }

    /// Ends the standby thread, if it was started.
    func endStandby() { standby.end() }

    /// Has every thread end. Those that wait end at once. Those that serve a request end when it is answered,
    /// which a signal makes sooner. False: some haven't ended after `seconds`.
    func end(within seconds: Int) -> Bool {
        stop()
        for _ in 0..<(seconds * 100) {
            guard count > 0 else { return true }
            threads.withLock { threads in
                for thread in threads { try? thread.signal(.interruptRequest) }
            }
            pause(milliseconds: 10)
        }
        return count == 0
    }

    /// Stops the pool, as the connection has ended: parked threads end too.
    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        while unpark() {}
    }

    /// Stops the pool and ends the mount, as the device can't be read from.
    func fail() {
        failed.store(true, ordering: .releasing)
        stop()
        ended.raise()
    }

    /// Lets `waitForEnd` return although a thread is stuck.
    func abandon() { ended.raise() }
}

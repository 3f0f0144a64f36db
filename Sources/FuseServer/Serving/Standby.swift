internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Makes sure that a thread reads requests: when all readers are in requests that take long, it adds one.
///
/// It looks every millisecond while requests come, and sleeps when none do.
final class Standby: Sendable {
    private static let interval = 1  // milliseconds
    /// After so many looks without a request it sleeps.
    private static let patience = 5
    /// If two requests took long within so many looks, others that may block are taken to do so.
    private static let closeness = 100
    /// That lasts for so many looks.
    private static let caution = 1000

    private let taken = Atomic<UInt64>(0)
    private let isAsleep = Atomic<Bool>(false)
    private let cautious = Atomic<Bool>(false)
    private let isEnding = Atomic<Bool>(false)
    private let work = Semaphore()
    private let thread = Mutex<WorkerThread?>(nil)

    /// Whether requests took long a moment ago.
    @inline(__always)
    var isCautious: Bool { cautious.load(ordering: .relaxed) }

    /// Notes that a reader has taken a request, or was interrupted.
    @inline(__always)
    func noteTaken() {
        taken.add(1, ordering: .sequentiallyConsistent)
        if isAsleep.load(ordering: .sequentiallyConsistent) { wake() }
    }

    func start(_ pool: WorkerPool) throws(Errno) {
        let started = try WorkerThread.spawn(name: "switchfs-standby", stackSize: 128 * 1024) {
            [self] in run(pool)
        }
        thread.withLock { $0 = started }
    }

    /// Ends the thread. Returns when it has gone.
    func end() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        work.raise()
        thread.withLock { $0.take() }?.join()
    }

    private func wake() {
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { work.raise() }
    }

    private func run(_ pool: WorkerPool) {
        var last: UInt64 = 0
        var quiet = 0
        var caution = 0
        var sinceAdded = Standby.closeness
        while !isEnding.load(ordering: .sequentiallyConsistent) {
            let now = taken.load(ordering: .sequentiallyConsistent)
            let (isStill, hasWaiting) = (now == last, pool.hasWaiting)
            last = now
            caution = max(caution - 1, 0)
            sinceAdded = min(sinceAdded + 1, Standby.closeness)
            // Before the first request the first reader may not have begun to wait.
            if isStill, !hasWaiting, now > 0 {
                if sinceAdded < Standby.closeness { caution = Standby.caution }
                sinceAdded = 0
                pool.addReader()
            }
            quiet = isStill && hasWaiting || now == 0 ? quiet + 1 : 0
            if quiet >= Standby.patience {
                cautious.store(false, ordering: .relaxed)
                (quiet, caution) = (0, 0)
                sleep(pool, since: now)
            } else {
                cautious.store(caution > 0, ordering: .relaxed)
                pause(milliseconds: Standby.interval)
            }
        }
    }

    /// Sleeps until a reader has taken a request.
    private func sleep(_ pool: WorkerPool, since last: UInt64) {
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        if taken.load(ordering: .sequentiallyConsistent) != last { return wakeItself() }
        work.wait()
    }

    private func wakeItself() {
        // The thread that was faster has raised the semaphore, or will.
        if !isAsleep.exchange(false, ordering: .sequentiallyConsistent) { work.wait() }
    }
}

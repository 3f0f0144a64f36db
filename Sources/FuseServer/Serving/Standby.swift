internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Sees to it that somebody reads requests: when all readers are in one that takes long, it adds one.
///
/// It looks every millisecond while requests come, and sleeps when none do.
final class Standby: Sendable {
    private static let interval = 1  // milliseconds
    /// So many looks without a request, and it sleeps.
    private static let patience = 5
    /// Two requests that took long within so many looks, and others that may are taken for such.
    private static let closeness = 100
    /// For so many looks.
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

    /// A reader has taken a request, or was interrupted.
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

    /// Returns when the thread is gone.
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
        // Who was faster has raised, or will.
        if !isAsleep.exchange(false, ordering: .sequentiallyConsistent) { work.wait() }
    }
}

internal import LinuxSystem
internal import Synchronization

/// How many watches this process may have. An eighth of what the user may have stays for other programs,
/// besides the watches that they have.
///
/// The kernel doesn't tell how many a user has. A thread of its own counts those of other programs in /proc,
/// at most every ten seconds while watches are asked for. When the kernel refuses a watch, the number is
/// known exactly.
final class WatchBudget: Sendable {
    /// In seconds.
    private static let interval: UInt64 = 10

    private let allowance = Atomic<Int>(0)
    private let countsFrom = Atomic<Int>(0)
    private let nextCount = Atomic<UInt64>(0)

    init() { take(others: 0) }

    /// Whether a process with `count` watches may have no more.
    func isReached(by count: Int) -> Bool {
        if count >= countsFrom.load(ordering: .relaxed) { countOthers() }
        return count >= allowance.load(ordering: .relaxed)
    }

    /// Notes that the kernel has refused one more: all others are in use.
    func noteRefusal(at count: Int) {
        guard let limit = InotifyUsage.limit else { return }
        take(others: max(0, limit - count))
    }

    /// Sets the allowance by what others have. If others leave less than an eighth of all, it is a sixteenth
    /// nevertheless.
    private func take(others: Int) {
        guard let limit = InotifyUsage.limit else {
            allowance.store(.max, ordering: .relaxed)
            return countsFrom.store(.max, ordering: .relaxed)
        }
        let least = max(limit / 16, 1)
        allowance.store(max(limit - limit / 8 - others, least), ordering: .relaxed)
        countsFrom.store(least, ordering: .relaxed)
    }

    private func countOthers() {
        let now = monotonicSeconds()
        let next = nextCount.load(ordering: .relaxed)
        guard now >= next,
            nextCount.compareExchange(
                expected: next, desired: now + Self.interval, ordering: .acquiringAndReleasing
            ).exchanged
        else { return }
        let thread = try? WorkerThread.spawn(name: "switchfs-count", stackSize: 256 * 1024) { [self] in
            take(others: InotifyUsage.ofOthers(upTo: InotifyUsage.limit ?? 0))
        }
        thread?.detach()
    }
}

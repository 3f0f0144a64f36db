internal import LinuxSystem
internal import Synchronization

/// How many watches this process may have, so that an eighth of what the user may have stays for other programs, beside those
/// that they have.
///
/// The kernel tells nobody how many a user has. What others have is counted in /proc, by a thread of its own, at most every
/// ten seconds while watches are asked for; and it is known exactly when the kernel refuses one.
final class WatchBudget: Sendable {
    /// Seconds.
    private static let interval: UInt64 = 10

    private let allowance = Atomic<Int>(0)
    private let countsFrom = Atomic<Int>(0)
    private let nextCount = Atomic<UInt64>(0)

    init() { take(others: 0) }

    /// Whether one that has `count` may have no more.
    func isReached(by count: Int) -> Bool {
        if count >= countsFrom.load(ordering: .relaxed) { countOthers() }
        return count >= allowance.load(ordering: .relaxed)
    }

    /// The kernel has refused one more: all others are in use.
    func noteRefusal(at count: Int) {
        guard let limit = InotifyUsage.limit else { return }
        take(others: max(0, limit - count))
    }

    /// Where others leave less than an eighth of all, a sixteenth is asked for nevertheless.
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

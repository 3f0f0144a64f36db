internal import Synchronization

/// For how long events are left to gather before they are looked at.
///
/// Who makes a change pays for each time that a thread is woken to look at it, and then shares the processors
/// with that thread. As long as changes turn out to be the union's own, of which nobody needs to be told, that
/// is done for many at a time.
final class BatchingDelay: Sendable {
    private static let least: UInt32 = 200
    private static let most: UInt32 = 1600

    private let time = Atomic<UInt32>(least)

    var microseconds: UInt32 { time.load(ordering: .relaxed) }

    /// What was looked at is through. `hasReported`: the kernel had to be told of it.
    func note(hasReported: Bool) {
        let time = hasReported ? Self.least : min(microseconds * 2, Self.most)
        self.time.store(time, ordering: .relaxed)
    }
}

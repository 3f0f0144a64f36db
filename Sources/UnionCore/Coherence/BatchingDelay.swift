internal import Synchronization

/// For how long events gather before they are looked at.
///
/// A caller that makes a change pays each time a thread wakes to look at it, and then shares the processors
/// with that thread. As long as changes turn out to be the union's own, the kernel needn't be told of any,
/// and many are looked at together.
final class BatchingDelay: Sendable {
    private static let least: UInt32 = 200
    private static let most: UInt32 = 1600

    private let time = Atomic<UInt32>(least)

    var microseconds: UInt32 { time.load(ordering: .relaxed) }

    /// Notes that a batch is through. `hasReported`: the kernel had to be told of something in it.
    func note(hasReported: Bool) {
        let time = hasReported ? Self.least : min(microseconds * 2, Self.most)
        self.time.store(time, ordering: .relaxed)
    }
}

internal import Synchronization

/// Orders looks, events, watches and drops: moves on with each but the looks.
final class CoherenceClock: Sendable {
    private let ticks = Atomic<UInt64>(1)

    var now: UInt64 { ticks.load(ordering: .sequentiallyConsistent) }
    func tick() -> UInt64 { ticks.add(1, ordering: .sequentiallyConsistent).newValue }
}

internal import Synchronization

/// Orders looks, events, watches and drops: each but the looks moves it on.
final class CoherenceClock: Sendable {
    private let ticks = Atomic<UInt64>(1)

    var now: UInt64 { ticks.load(ordering: .sequentiallyConsistent) }
    func tick() -> UInt64 { ticks.add(1, ordering: .sequentiallyConsistent).newValue }
}

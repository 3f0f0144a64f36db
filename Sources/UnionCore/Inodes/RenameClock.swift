internal import Glibc
internal import Synchronization

/// Tells whether a rename through the union went on while names were followed.
///
/// No lock is held over a rename: who fails to find a thing looks here, and tries again if the failure may be
/// a rename's doing.
final class RenameClock: Sendable {
    private let started = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)

    func begin() { started.add(1, ordering: .sequentiallyConsistent) }
    func end() { ended.add(1, ordering: .sequentiallyConsistent) }

    func snapshot() -> UInt64 { ended.load(ordering: .sequentiallyConsistent) }

    /// Whether a rename ended since the snapshot or is still going on; gives the processor away if so.
    func happened(since snapshot: UInt64) -> Bool {
        let ended = ended.load(ordering: .sequentiallyConsistent)
        let started = started.load(ordering: .sequentiallyConsistent)
        guard started != ended || ended != snapshot else { return false }
        sched_yield()
        return true
    }
}

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

    /// Whether a rename ended since the snapshot or is still going on; gives the processor away if so, and after some
    /// tries for a millisecond.
    func happened(since snapshot: UInt64, tries: Int) -> Bool {
        let ended = ended.load(ordering: .sequentiallyConsistent)
        let started = started.load(ordering: .sequentiallyConsistent)
        guard started != ended || ended != snapshot else { return false }
        if tries < 64 { sched_yield() } else { usleep(1000) }
        return true
    }
}

internal import Glibc
internal import Synchronization

/// Tells whether a rename through the union went on while names were followed.
///
/// No lock is held over a rename. A thread that fails to find an object looks here. It tries again if a
/// rename may have caused the failure.
final class RenameClock: Sendable {
    private let started = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)

    func begin() { started.add(1, ordering: .sequentiallyConsistent) }
    func end() { ended.add(1, ordering: .sequentiallyConsistent) }

    func snapshot() -> UInt64 { ended.load(ordering: .sequentiallyConsistent) }

    /// Whether a rename ended since the snapshot or is still going on. If so, gives the processor away, and
    /// after some tries sleeps for a millisecond.
    func happened(since snapshot: UInt64, tries: Int) -> Bool {
        let ended = ended.load(ordering: .sequentiallyConsistent)
        let started = started.load(ordering: .sequentiallyConsistent)
        guard started != ended || ended != snapshot else { return false }
        if tries < 64 { sched_yield() } else { usleep(1000) }
        return true
    }
}

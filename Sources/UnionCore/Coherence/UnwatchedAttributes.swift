internal import LinuxSystem
internal import Synchronization

/// Files whose attributes the kernel keeps for a moment without a watch of their own.
///
/// Most are kept by their directory's watch, for a second. It tells of all that happens to a file with one link,
/// but not that the file gets another elsewhere, nor what happens by that. Others are kept for a tick or two of
/// the kernel's clock, at most 20 ms: those that were just made through the union, and those that are probably
/// looked at to be removed. The kernel asks for a file's attributes once more before open(2) or stat(2) returns,
/// unless it may keep the answer to CREATE or LOOKUP for that time, which is the shortest that there is.
///
/// A caller that synchronizes has all of these files looked at. The lock is a leaf.
final class UnwatchedAttributes: Sendable {
    /// For how many seconds the kernel may keep what no watch keeps true; it rounds up.
    static let seconds = 1e-6
    /// For how many seconds it may keep what the directory's watch keeps true.
    static let secondsByDirectory = 1.0
    /// After this many nanoseconds the kernel has taken an answer in, and may not keep it any more.
    static let lifetime: UInt64 = 1_500_000_000

    private struct State {
        /// Those that were reported in this lifetime, and in the one before.
        var reports: [NodeID] = []
        var earlier: [NodeID] = []
        var begun: UInt64 = 0
    }

    private let state = Mutex(State())

    func note(_ node: NodeID) {
        // Freed after the lock.
        var old: [NodeID] = []
        state.withLock { state in
            // Read under the lock: no time is before `begun`.
            let now = monotonicNanoseconds()
            if now &- state.begun >= Self.lifetime {
                let isRecent = now &- state.begun < 2 * Self.lifetime
                swap(&old, &state.earlier)
                if isRecent { swap(&state.earlier, &state.reports) } else { state.reports = [] }
                state.begun = now
            }
            state.reports.append(node)
        }
    }

    /// Takes out the files of which the kernel may still know attributes that it wasn't told to drop, and some
    /// more.
    func take() -> [NodeID] {
        state.withLock { state in
            defer { state = State() }
            let isRecent = monotonicNanoseconds() &- state.begun < 2 * Self.lifetime
            return isRecent ? state.earlier + state.reports : []
        }
    }
}

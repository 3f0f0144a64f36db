internal import LinuxSystem
internal import Synchronization

/// Files whose attributes the kernel keeps for a moment without a watch: those that were just made through
/// the union, and those that are probably looked at to be removed.
///
/// The kernel asks for a file's attributes once more before open(2) or stat(2) returns, unless it may keep
/// the answer to CREATE or LOOKUP. So it may, for the shortest time that there is: a tick or two of the
/// kernel's clock, at most 20 ms. In that time no event drops these attributes. A caller that synchronizes
/// has these files looked at. The lock is a leaf.
final class UnwatchedAttributes: Sendable {
    /// For how many seconds the kernel may keep what is reported; it rounds up.
    static let seconds = 1e-6
    /// After this many nanoseconds the kernel has taken an answer in, and may not keep it any more.
    private static let lifetime: UInt64 = 1_000_000_000
    private static let capacity = 1024

    private struct Report {
        let node: NodeID
        let time: UInt64
    }

    private struct State {
        /// The oldest is overwritten first.
        var reports: [Report] = []
        var next = 0
    }

    private let state = Mutex(State())

    func note(_ node: NodeID) {
        let report = Report(node: node, time: monotonicNanoseconds())
        state.withLock { state in
            if state.reports.count < Self.capacity {
                state.reports.append(report)
            } else {
                state.reports[state.next] = report
                state.next = (state.next + 1) % Self.capacity
            }
        }
    }

    /// Takes out the files of which the kernel may still know attributes that it wasn't told to drop.
    func take() -> [NodeID] {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            defer { state = State() }
            return state.reports.lazy.filter { now &- $0.time < Self.lifetime }.map(\.node)
        }
    }
}

internal import LinuxSystem
internal import Synchronization

/// Files that were just made through the union.
///
/// The kernel asks for a new file's attributes once more before open(2) returns, unless the answer to CREATE may
/// be kept. So it may, for the shortest time that there is: a tick or two of the kernel's clock, at most 20 ms.
/// In that time no event has it dropped, as nobody has asked for a watch yet; who synchronizes has these files
/// looked at. The lock is a leaf.
final class NewFiles: Sendable {
    /// For how long what CREATE tells may be kept; the kernel rounds up.
    static let seconds = 1e-6
    /// After this many nanoseconds the kernel has taken an answer in, and what it was told has run out.
    private static let lifetime: UInt64 = 1_000_000_000
    private static let capacity = 1024

    private struct Made {
        let node: NodeID
        let time: UInt64
    }

    private struct State {
        /// The oldest is overwritten first.
        var made: [Made] = []
        var next = 0
    }

    private let state = Mutex(State())

    func note(_ node: NodeID) {
        let made = Made(node: node, time: monotonicNanoseconds())
        state.withLock { state in
            if state.made.count < Self.capacity {
                state.made.append(made)
            } else {
                state.made[state.next] = made
                state.next = (state.next + 1) % Self.capacity
            }
        }
    }

    /// Those of which the kernel may know what nobody has told it to drop.
    func take() -> [NodeID] {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            defer { state = State() }
            return state.made.lazy.filter { now &- $0.time < Self.lifetime }.map(\.node)
        }
    }
}

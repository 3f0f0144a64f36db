internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A file that is reported to the kernel before its watch is set.
struct DeferredWatch {
    let node: Node
    /// The fingerprint of the attributes that are reported.
    let reported: UInt64
    /// How often the node's watches had ended before it was looked at.
    let endings: UInt16

    /// Whether these are the attributes that are reported, and no watch of the node has ended since.
    func isAsReported(_ attributes: Attributes) -> Bool {
        attributes.fingerprint == reported && node.state.withLock { $0.endings == endings }
    }
}

/// Counts the LOOKUPs that may have reported what isn't watched yet, for callers that must wait until these
/// are through.
///
/// They are counted in two turns, so that a caller that waits for those there are doesn't wait for those that
/// come.
final class DeferredWatches: Sendable {
    private let turn = Atomic<Int>(0)
    private let counts = InlineArray<2, Atomic<Int>> { _ in Atomic(0) }
    /// Held while waiting, over no other lock.
    private let waiting = Mutex(())

    /// One LOOKUP, from before its look until the watch is set.
    struct Turn: ~Copyable {
        private let watches: DeferredWatches
        private let number: Int

        fileprivate init(_ watches: DeferredWatches, _ number: Int) {
            self.watches = watches
            self.number = number
            watches.counts[number].add(1, ordering: .sequentiallyConsistent)
        }

        deinit { watches.counts[number].subtract(1, ordering: .sequentiallyConsistent) }
    }

    /// Whether so many are under way that the processors can't keep up: what is put off further only piles up.
    var isBehind: Bool {
        counts[0].load(ordering: .relaxed) + counts[1].load(ordering: .relaxed) > Self.most
    }

    /// More LOOKUPs at a time than a machine with few processors gets through at once.
    private static let most = 8

    func begin() -> Turn { Turn(self, turn.load(ordering: .sequentiallyConsistent)) }

    /// Returns when all turns that had begun before the call have ended.
    func waitForAll() {
        waiting.withLock { _ in
            let current = turn.load(ordering: .sequentiallyConsistent)
            // A LOOKUP that began when the turn last moved on may have counted itself after that.
            waitForNone(of: 1 - current)
            turn.store(1 - current, ordering: .sequentiallyConsistent)
            waitForNone(of: current)
        }
    }

    private func waitForNone(of turn: Int) {
        while counts[turn].load(ordering: .sequentiallyConsistent) != 0 { usleep(50) }
    }
}

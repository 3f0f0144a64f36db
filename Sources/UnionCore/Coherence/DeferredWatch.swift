internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A file of which the kernel is told before its watch is set.
struct DeferredWatch {
    let node: Node
    /// The mark of the attributes that are told.
    let reported: UInt64
    /// How often the node's watches had ended before it was looked at.
    let endings: UInt16
}

/// Which LOOKUPs may have told what isn't watched yet, for who must know that they are through.
///
/// Counted in two turns, so that who waits for those there are doesn't wait for those that come.
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

    func begin() -> Turn { Turn(self, turn.load(ordering: .sequentiallyConsistent)) }

    /// Returns when all that had begun before the call have ended.
    func waitForAll() {
        waiting.withLock { _ in
            let current = turn.load(ordering: .sequentiallyConsistent)
            // Who began when the turn moved on the last time may have counted itself thereafter.
            waitForNone(of: 1 - current)
            turn.store(1 - current, ordering: .sequentiallyConsistent)
            waitForNone(of: current)
        }
    }

    private func waitForNone(of turn: Int) {
        while counts[turn].load(ordering: .sequentiallyConsistent) != 0 { usleep(50) }
    }
}

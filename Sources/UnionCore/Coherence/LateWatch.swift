internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A file of which the kernel is told before its watch is set.
struct LateWatch {
    let node: Node
    /// The mark of the attributes that are told.
    let told: UInt64
    /// How often the node's watches had ended before it was looked at.
    let endings: UInt16
}

/// What LOOKUP is answered with, to be kept until that was sent: then its watch is set.
///
/// To set a watch takes as long as the look itself, and the client needs no part of it. So it is told what was seen of
/// a file, then the watch is set, and the file looked at once more: what changed in between without an event shows
/// there, and is dropped like after one.
public struct LookedUp: ~Copyable {
    public let entry: Entry
    private let watch: LateWatch?
    private let turn: LateWatches.Turn
    private let union: Union

    init(_ entry: Entry, _ watch: LateWatch?, _ turn: consuming LateWatches.Turn, _ union: Union) {
        self.entry = entry
        self.watch = watch
        self.turn = turn
        self.union = union
    }

    /// The answer was sent.
    public consuming func finish() {}

    deinit {
        if let watch { union.finish(watch) }
    }
}

extension Union {
    func finish(_ watch: LateWatch) {
        if !isAsTold(watch) { coherence.invalidator.append(.attributes(watch.node.id)) }
    }

    /// Watches the file. True: from here on events tell of all that differs from what the kernel was told.
    private func isAsTold(_ late: LateWatch) -> Bool {
        let node = late.node
        guard let object = try? object(of: node),
            coherence.plan.choices[object.layer.index].mode == .watch
        else { return false }
        // Another one who looked at it may have been quicker.
        let isWatched =
            node.state.withLock { $0.isCached }
            || mayWatch(node)
                && watch(object.descriptor, for: node, layer: object.layer.index, late.endings)
        // Who forgets a node ends the watches that it has at that time.
        if table.find(node.id) == nil { coherence.source?.unwatch(node.id) }
        guard isWatched, let status = try? object.descriptor.status() else { return false }
        return attributes(of: node, object, status).mark == late.told
            && node.state.withLock { $0.endings == late.endings }
    }
}

/// Which LOOKUPs may have told what isn't watched yet, for who must know that they are through.
///
/// Counted in two turns, so that who waits for those there are doesn't wait for those that come.
final class LateWatches: Sendable {
    private let turn = Atomic<Int>(0)
    private let counts = InlineArray<2, Atomic<Int>> { _ in Atomic(0) }
    /// Held while waiting, over no other lock.
    private let waiting = Mutex(())

    /// One LOOKUP, from before its look until the watch is set.
    struct Turn: ~Copyable {
        private let watches: LateWatches
        private let number: Int

        fileprivate init(_ watches: LateWatches, _ number: Int) {
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

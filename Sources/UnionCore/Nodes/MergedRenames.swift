internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The renames of merged directories that are under way. A removal before which a whiteout is laid
/// (`Changes.cover`) is one, too; its two names are one.
///
/// Such a rename is one rename in each layer, and between two of them a look would find half a directory. So
/// a look asks here before and after (`Resolver.undivided`). It waits for a rename that concerns it. If a
/// rename began during the look, the look is made again. A waiting thread holds no lock. The lock here is a
/// leaf.
final class MergedRenames: Sendable {
    /// The names between which a directory moves.
    struct Move: Sendable {
        let from: EntryKey
        let to: EntryKey

        func concerns(_ name: PathRef, in directory: Node) -> Bool {
            let key = EntryKey(directory.id, name)
            return key == from || key == to
        }

        /// Whether the way to the node leads through one of the names.
        func concerns(_ node: Node) -> Bool {
            WayUp(from: node).contains { concerns($0.name, in: $0.parent) }
        }
    }

    struct Moment {
        /// How many have begun so far.
        let begun: UInt64
        /// Whether no rename is under way.
        let isQuiet: Bool
    }

    /// How many renames have begun; in the lowest bits, how many of them haven't ended.
    private let clock = Atomic<UInt64>(0)
    private static let oneBegun: UInt64 = 1 << 16
    private let moves = Mutex<[(serial: UInt64, move: Move)]>([])

    var now: Moment {
        let clock = clock.load(ordering: .sequentiallyConsistent)
        return Moment(begun: clock / Self.oneBegun, isQuiet: clock % Self.oneBegun == 0)
    }

    var underWay: [Move] { moves.withLock { $0.map(\.move) } }

    /// From here on looks wait, until `end` is called with the returned serial.
    func begin(_ move: Move) -> UInt64 {
        moves.withLock { moves in
            let serial = clock.add(Self.oneBegun + 1, ordering: .sequentiallyConsistent).newValue
            moves.append((serial, move))
            return serial
        }
    }

    func end(_ serial: UInt64) {
        moves.withLock { moves in
            moves.removeAll { $0.serial == serial }
            clock.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// Returns after a moment. A rename takes some ten microseconds, and on a slow layer as long as that
    /// layer takes.
    static func pause(tries: Int) {
        if tries < 64 { sched_yield() } else { usleep(200) }
    }
}

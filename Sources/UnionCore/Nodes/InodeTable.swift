internal import LinuxSystem
internal import Synchronization

/// The nodes that the kernel knows, by number and by the real object that they stand for.
///
/// It is in parts by identity, so that growing stops the others only for the time that one part takes. A
/// part's lock goes before nodes' own: with it held, nothing is called but `Node` initialisers and nodes' own
/// locks, one at a time.
///
/// A node's number holds, from the lowest bit: its part, its slot in it, and how many nodes the part ever
/// had. So a forgotten number doesn't come again before four billion nodes of its part have come and gone.
final class InodeTable: Sendable {
    private static let shardBits: UInt64 = 6
    private static let slotBits: UInt64 = 26
    private static let shardCount = 1 << shardBits

    private struct Shard: ~Copyable {
        var slots = NodeSlots()
        var index = IdentityIndex()
        var serial: UInt32 = 0

        func find(_ id: NodeID) -> Node? {
            guard let node = slots[InodeTable.slot(of: id)], node.id == id else { return nil }
            return node
        }

        /// The number of the next node. It is never 0 nor the root's.
        mutating func nextID(shard: Int) -> NodeID {
            serial = serial == .max ? 1 : serial + 1
            let number = UInt64(serial) << InodeTable.slotBits | UInt64(slots.next)
            return NodeID(rawValue: number << InodeTable.shardBits | UInt64(shard))
        }
    }

    /// Mutexes can't stand in an array: one box each.
    private final class Box: Sendable {
        let shard = Mutex(Shard())
    }

    private let boxes: [Box]
    /// Directories by the real directory that owns them. A directory that a stranger has moved is found again
    /// by it. The lock is a leaf.
    private let owned = Mutex<[UInt64: Node]>([:])
    /// How many directories were added, to spread them over the parts.
    private let directoryCount = Atomic<Int>(0)
    private let seed = UInt64.random(in: 0 ... .max)
    let root: Node

    init(root: Node) {
        self.root = root
        boxes = (0..<Self.shardCount).map { _ in Box() }
    }

    /// The node with that number. nil: the kernel was never told of it, or has forgotten it.
    func find(_ id: NodeID) -> Node? {
        if id == .root { return root }
        return boxes[Self.shard(of: id)].shard.withLock { $0.find(id) }
    }

    /// The node of that real file, if the kernel knows one.
    func find(_ identity: ObjectIdentity) -> Node? {
        let (index, key) = position(of: identity)
        return boxes[index].shard.withLock { shard in
            shard.index.find(key, in: shard.slots).flatMap { shard.slots[$0] }
        }
    }

    /// The node of that real file, new or known. Its lookup count grows by one.
    func findOrMake(_ identity: ObjectIdentity, make: (NodeID) -> Node) -> Node {
        let (index, key) = position(of: identity)
        return boxes[index].shard.withLock { shard in
            if let slot = shard.index.find(key, in: shard.slots), let node = shard.slots[slot] {
                node.noteLookup()
                return node
            }
            let slot = shard.slots.next
            let node = make(shard.nextID(shard: index))
            shard.slots.add(node)
            shard.index.add(key, to: slot, in: shard.slots, hash: hash)
            return node
        }
    }

    /// A new directory, with a lookup count of one.
    func add(_ make: (NodeID) -> Node) -> Node {
        let index = directoryCount.add(1, ordering: .relaxed).newValue & (Self.shardCount - 1)
        return boxes[index].shard.withLock { shard in
            let node = make(shard.nextID(shard: index))
            shard.slots.add(node)
            return node
        }
    }

    /// Counts one more lookup of a known node. False: the kernel has forgotten it.
    func retain(_ node: Node) -> Bool {
        boxes[Self.shard(of: node.id)].shard.withLock { shard in
            guard shard.find(node.id) === node else { return false }
            node.noteLookup()
            return true
        }
    }

    /// Takes `count` lookups back. Returns the node if it goes, as that was the last.
    func forget(_ id: NodeID, count: UInt64) -> Node? {
        guard id != .root else { return nil }
        return boxes[Self.shard(of: id)].shard.withLock { shard in
            guard let node = shard.find(id), !node.takeLookups(count) else { return nil }
            if !node.isDirectory {
                shard.index.remove(position(of: node.identity).key, in: shard.slots, hash: hash)
            }
            shard.slots.remove(Self.slot(of: id))
            return node
        }
    }

    /// The nodes that the kernel knows now, in no order.
    var all: [Node] { boxes.flatMap { $0.shard.withLock { $0.slots.nodes } } }

    var directories: [Node] {
        boxes.flatMap { $0.shard.withLock { $0.slots.nodes.filter(\.isDirectory) } }
    }

    /// How many nodes the kernel knows, the root not counted.
    var count: Int {
        boxes.reduce(0) { $0 + $1.shard.withLock { $0.slots.count } }
    }

    private func position(of identity: ObjectIdentity) -> (shard: Int, key: IdentityIndex.Key) {
        let hash = identity.hash(seed)
        let shard = Int(truncatingIfNeeded: hash) & (Self.shardCount - 1)
        return (shard, IdentityIndex.Key(identity: identity, hash: hash >> Self.shardBits))
    }

    private func hash(_ identity: ObjectIdentity) -> UInt64 { identity.hash(seed) >> Self.shardBits }

    private static func shard(of id: NodeID) -> Int {
        Int(truncatingIfNeeded: id.rawValue) & (shardCount - 1)
    }

    private static func slot(of id: NodeID) -> Int {
        Int(truncatingIfNeeded: id.rawValue >> shardBits & (1 << slotBits - 1))
    }
}

// Directories by their owners.
extension InodeTable {
    /// The directory that the real one (`Makeup.part`) owned when it was seen last.
    func directory(ownedBy part: UInt64) -> Node? { owned.withLock { $0[part] } }

    /// Notes that the real directory owns the node. If several nodes show it, it finds the first.
    func noteOwner(_ part: UInt64, of node: Node) {
        let isKnown = owned.withLock { owned in
            guard let other = owned[part], other !== node else {
                owned[part] = node
                return true
            }
            return false
        }
        if isKnown { return }
        guard let other = directory(ownedBy: part), other.isDead || find(other.id) == nil else { return }
        owned.withLock { $0[part] = node }
    }

    func forgetOwner(_ part: UInt64, of node: Node) {
        owned.withLock { owned in
            if owned[part] === node { owned[part] = nil }
        }
    }
}

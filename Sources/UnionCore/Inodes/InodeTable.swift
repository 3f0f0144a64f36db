internal import LinuxSystem
internal import Synchronization

/// The nodes that the kernel knows, by number and by the real object that they stand for.
///
/// In parts by identity, so that growing stops the others for the time that a part takes. A part's lock is a leaf:
/// nothing is called with it held but `Node` initialisers and nodes' own locks, one at a time.
///
/// A node's number holds, from the lowest bit: its part, its slot in it, and how many nodes the part ever had. So
/// a number that was forgotten doesn't come again before four billion nodes of its part have come and gone.
final class InodeTable: Sendable {
    private static let shardBits: UInt64 = 6
    private static let slotBits: UInt64 = 26
    private static let shardCount = 1 << shardBits

    private struct Shard: ~Copyable {
        var slots = NodeSlots()
        var index = IdentityIndex()
        var serial: UInt32 = 0
        /// Directories that the index names others for.
        var older: [NodeID: Node] = [:]

        func find(_ id: NodeID) -> Node? {
            guard let node = slots[InodeTable.slot(of: id)], node.id == id else { return nil }
            return node
        }

        /// The number of the next node. Never 0 nor the root's.
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
    /// How many of all parts are in `older`.
    private let olderCount = Atomic<Int>(0)
    private let seed = UInt64.random(in: 0 ... .max)
    let root: Node

    init(root: Node) {
        self.root = root
        boxes = (0..<Self.shardCount).map { _ in Box() }
    }

    /// The node with that number. nil: the kernel names what it was never told, or has forgotten.
    func find(_ id: NodeID) -> Node? {
        if id == .root { return root }
        return boxes[Self.shard(of: id)].shard.withLock { $0.find(id) }
    }

    /// The node of that real object, where the kernel knows one.
    func find(_ identity: ObjectIdentity) -> Node? {
        if root.stands(for: identity) { return root }
        let (index, key) = place(of: identity)
        return boxes[index].shard.withLock { shard in
            shard.index.find(key, in: shard.slots).flatMap { shard.slots[$0] }
        }
    }

    /// The node of that real object, new or known, with one more lookup count on it. One that isn't as `fits` says is
    /// replaced by a new one: what the kernel keeps of the old one isn't its own.
    func adopt(
        _ identity: ObjectIdentity, kind: FileKind, where fits: (Node) -> Bool = { _ in true },
        make: (NodeID) -> Node
    ) -> Node {
        let (index, key) = place(of: identity)
        return boxes[index].shard.withLock { shard in
            if let slot = shard.index.find(key, in: shard.slots), let node = shard.slots[slot] {
                if node.kind == kind, fits(node) {
                    node.noteLookup()
                    return node
                }
                noteOlder(node, &shard)
            }
            let slot = shard.slots.next
            let node = make(shard.nextID(shard: index))
            shard.slots.add(node)
            shard.index.set(key, to: slot, in: shard.slots, hash: hash)
            return node
        }
    }

    /// The real object, if it is seen again, is a new node.
    func disown(_ node: Node) {
        let (index, key) = place(of: node.identity)
        boxes[index].shard.withLock { shard in
            guard leave(node, key, &shard) else { return }
            noteOlder(node, &shard)
        }
    }

    private func noteOlder(_ node: Node, _ shard: inout Shard) {
        guard node.isDirectory, shard.older.updateValue(node, forKey: node.id) == nil else { return }
        olderCount.add(1, ordering: .sequentiallyConsistent)
    }

    /// Takes `count` lookups back. With the last one the node goes, and is returned.
    func forget(_ id: NodeID, count: UInt64) -> Node? {
        guard id != .root else { return nil }
        return boxes[Self.shard(of: id)].shard.withLock { shard in
            guard let node = shard.find(id), !node.takeLookups(count) else { return nil }
            if !leave(node, place(of: node.identity).key, &shard), shard.older.removeValue(forKey: id) != nil
            {
                olderCount.subtract(1, ordering: .sequentiallyConsistent)
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

    /// Directories that aren't found by their identity any more: by their path the kernel knows newer nodes, but
    /// somebody may stand in these.
    var older: [Node] {
        if olderCount.load(ordering: .sequentiallyConsistent) == 0 { return [] }
        return boxes.flatMap { $0.shard.withLock { Array($0.older.values) } }
    }

    /// Those of them that stand for that real directory.
    func older(of identity: ObjectIdentity) -> [Node] {
        if olderCount.load(ordering: .sequentiallyConsistent) == 0 { return [] }
        return boxes[place(of: identity).shard].shard.withLock { shard in
            shard.older.values.filter { $0.stands(for: identity) }
        }
    }

    /// How many nodes the kernel knows, the root not counted.
    var count: Int {
        boxes.reduce(0) { $0 + $1.shard.withLock { $0.slots.count } }
    }

    /// The node isn't found by its identity any more. False: it isn't it that was.
    private func leave(_ node: Node, _ key: IdentityIndex.Key, _ shard: inout Shard) -> Bool {
        guard shard.index.find(key, in: shard.slots) == Self.slot(of: node.id) else { return false }
        shard.index.remove(key, in: shard.slots, hash: hash)
        return true
    }

    private func place(of identity: ObjectIdentity) -> (shard: Int, key: IdentityIndex.Key) {
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

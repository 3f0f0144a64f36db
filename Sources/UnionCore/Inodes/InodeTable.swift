internal import LinuxSystem
internal import Synchronization

/// The nodes that the kernel knows, by number and by the real object that they stand for.
///
/// Sharded by identity; a node's number holds its shard. A shard's lock is a leaf: nothing is called with it
/// held but `Node` initialisers and a node's own lock.
final class InodeTable: Sendable {
    private static let shardBits: UInt64 = 4
    private static let shardCount = 1 << 4

    private struct Record {
        let node: Node
        /// How many times the kernel was told of the node and hasn't forgotten it.
        var lookups: UInt64
    }

    private struct Shard: ~Copyable {
        var records: [UInt64: Record] = [:]
        var byIdentity: [ObjectIdentity: Node] = [:]
        var serial: UInt64 = 0
    }

    /// Mutexes can't stand in an array: one box each.
    private final class Box: Sendable {
        let shard = Mutex(Shard())
    }

    private let boxes: [Box]
    let root: Node

    init(root: Node) {
        self.root = root
        boxes = (0..<Self.shardCount).map { _ in Box() }
    }

    /// The node with that number. nil: the kernel names what it was never told, or has forgotten.
    func find(_ id: NodeID) -> Node? {
        if id == .root { return root }
        return boxes[Self.shard(of: id)].shard.withLock { $0.records[id.rawValue]?.node }
    }

    /// The node of that real object, where the kernel knows one.
    func find(_ identity: ObjectIdentity) -> Node? {
        if identity == root.identity { return root }
        return boxes[Self.shard(of: identity)].shard.withLock { $0.byIdentity[identity] }
    }

    /// The node of that real object, new or known, with one more lookup count on it. A directory that was told
    /// as made of others than `layers` is a new node: what the kernel keeps of the old one isn't its own.
    func adopt(
        _ identity: ObjectIdentity, kind: FileKind, layers: UInt64 = 0, make: (NodeID) -> Node
    ) -> Node {
        let index = Self.shard(of: identity)
        return boxes[index].shard.withLock { shard in
            if let node = shard.byIdentity[identity], node.kind == kind, node.isMade(of: layers) {
                shard.records[node.id.rawValue]?.lookups += 1
                return node
            }
            // Numbers below 16 << 4 are never given: 1 is the root.
            shard.serial += 1
            let id = NodeID(rawValue: (shard.serial + 15) << Self.shardBits | UInt64(index))
            let node = make(id)
            shard.records[id.rawValue] = Record(node: node, lookups: 1)
            shard.byIdentity[identity] = node
            return node
        }
    }

    /// The real object, if it is seen again, is a new node.
    func disown(_ node: Node) {
        boxes[Self.shard(of: node.identity)].shard.withLock { shard in
            if shard.byIdentity[node.identity] === node { shard.byIdentity[node.identity] = nil }
        }
    }

    /// Takes `count` lookups back. With the last one the node goes, and is returned.
    func forget(_ id: NodeID, count: UInt64) -> Node? {
        guard id != .root else { return nil }
        return boxes[Self.shard(of: id)].shard.withLock { shard in
            guard let record = shard.records[id.rawValue] else { return nil }
            guard record.lookups <= count else {
                shard.records[id.rawValue]?.lookups -= count
                return nil
            }
            shard.records[id.rawValue] = nil
            if shard.byIdentity[record.node.identity] === record.node {
                shard.byIdentity[record.node.identity] = nil
            }
            return record.node
        }
    }

    /// The nodes that the kernel knows now, in no order.
    var all: [Node] { boxes.flatMap { $0.shard.withLock { $0.records.values.map(\.node) } } }

    /// How many nodes the kernel knows, the root not counted.
    var count: Int {
        boxes.reduce(0) { $0 + $1.shard.withLock { $0.records.count } }
    }

    private static func shard(of id: NodeID) -> Int {
        Int(id.rawValue & (UInt64(shardCount) - 1))
    }

    private static func shard(of identity: ObjectIdentity) -> Int {
        Int(
            truncatingIfNeeded: (identity.inode ^ identity.inode >> 7 ^ identity.device)
                & UInt64(shardCount - 1))
    }
}

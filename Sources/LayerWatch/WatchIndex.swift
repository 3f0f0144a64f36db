internal import LinuxSystem
internal import UnionCore

/// Which watches each node is the first owner of. There are several parts, so that growing stops the others
/// only for the time that one part takes.
struct WatchIndex {
    private static let partBits: UInt64 = 6

    /// The numbers are watches, which the kernel counts from 1.
    private var parts = [NumberTable<Int32>](repeating: NumberTable(), count: 1 << Int(partBits))

    /// The watches whose first owner the node is.
    func watches(of node: NodeID, in owners: FirstOwners) -> [Int32] {
        var found: [Int32] = []
        let hash = node.rawValue.mixed
        parts[Self.part(hash)].forEach(hash >> Self.partBits) { watch in
            if owners[watch]?.node == node { found.append(watch) }
        }
        return found
    }

    /// Notes that the node is the watch's first owner. The watch had none, or another one.
    mutating func insert(_ watch: Int32, of node: NodeID, in owners: FirstOwners) {
        let hash = node.rawValue.mixed
        parts[Self.part(hash)].insert(watch, hash >> Self.partBits) { Self.hash($0, owners) }
    }

    /// Takes the watch from the node. To be called as long as `owners` knows the watch.
    mutating func remove(_ watch: Int32, of node: NodeID, in owners: FirstOwners) {
        let hash = node.rawValue.mixed
        parts[Self.part(hash)].remove(watch, hash >> Self.partBits) { Self.hash($0, owners) }
    }

    private static func hash(_ watch: Int32, _ owners: FirstOwners) -> UInt64? {
        owners[watch].map { $0.node.rawValue.mixed >> partBits }
    }

    private static func part(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (1 << Int(partBits) - 1)
    }
}

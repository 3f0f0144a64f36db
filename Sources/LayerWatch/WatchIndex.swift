internal import UnionCore

/// Which watches each node is the first owner of: open-addressing tables that hold nothing but watches, and
/// compare by their owners. There are several parts, so that growing stops the others only for the time that
/// one part takes.
struct WatchIndex {
    fileprivate static let partBits: UInt64 = 6
    fileprivate static let empty: Int32 = 0

    fileprivate struct Part {
        /// Their number is a power of two, or 0. The kernel's numbers of watches begin at 1.
        var cells: [Int32] = []
        var count = 0
    }

    private var parts = [Part](repeating: Part(), count: 1 << Int(partBits))

    /// The watches whose first owner the node is.
    func watches(of node: NodeID, in owners: FirstOwners) -> [Int32] {
        let hash = Self.hash(node)
        let part = parts[Self.part(hash)]
        guard !part.cells.isEmpty else { return [] }
        var found: [Int32] = []
        var cell = part.home(hash)
        while part.cells[cell] != Self.empty {
            if owners[part.cells[cell]]?.node == node { found.append(part.cells[cell]) }
            cell = part.next(cell)
        }
        return found
    }

    /// Notes that the node is the watch's first owner. The watch had none, or another one.
    mutating func insert(_ watch: Int32, of node: NodeID, in owners: FirstOwners) {
        let hash = Self.hash(node)
        parts[Self.part(hash)].insert(watch, hash, owners)
    }

    /// Takes the watch from the node. To be called as long as `owners` knows the watch.
    mutating func remove(_ watch: Int32, of node: NodeID, in owners: FirstOwners) {
        let hash = Self.hash(node)
        parts[Self.part(hash)].remove(watch, hash, owners)
    }

    /// A hash in which every bit of the node's number moves every bit: these numbers are made by counting.
    fileprivate static func hash(_ node: NodeID) -> UInt64 {
        var hash = node.rawValue
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }

    private static func part(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (1 << Int(partBits) - 1)
    }
}

extension WatchIndex.Part {
    fileprivate func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> WatchIndex.partBits) & (cells.count - 1)
    }

    fileprivate func next(_ cell: Int) -> Int { (cell + 1) & (cells.count - 1) }

    fileprivate mutating func insert(_ watch: Int32, _ hash: UInt64, _ owners: FirstOwners) {
        if (count + 1) * 4 > cells.count * 3 { grow(owners) }
        count += 1
        put(watch, hash)
    }

    fileprivate mutating func remove(_ watch: Int32, _ hash: UInt64, _ owners: FirstOwners) {
        guard var hole = cell(of: watch, hash) else { return }
        count -= 1
        guard count > 0 else {
            cells = []
            return
        }
        var cell = next(hole)
        // A watch that was moved on from the hole's cell or an earlier one moves back, so that searches
        // needn't go on.
        while cells[cell] != WatchIndex.empty {
            if let owner = owners[cells[cell]] {
                let home = home(WatchIndex.hash(owner.node))
                if (cell - home) & (cells.count - 1) >= (cell - hole) & (cells.count - 1) {
                    cells[hole] = cells[cell]
                    hole = cell
                }
            }
            cell = next(cell)
        }
        cells[hole] = WatchIndex.empty
    }

    private func cell(of watch: Int32, _ hash: UInt64) -> Int? {
        guard !cells.isEmpty else { return nil }
        var cell = home(hash)
        while cells[cell] != watch {
            if cells[cell] == WatchIndex.empty { return nil }
            cell = next(cell)
        }
        return cell
    }

    private mutating func put(_ watch: Int32, _ hash: UInt64) {
        var cell = home(hash)
        while cells[cell] != WatchIndex.empty { cell = next(cell) }
        cells[cell] = watch
    }

    private mutating func grow(_ owners: FirstOwners) {
        let old = cells
        cells = [Int32](repeating: WatchIndex.empty, count: max(8, old.count * 2))
        for watch in old where watch != WatchIndex.empty {
            if let owner = owners[watch] { put(watch, WatchIndex.hash(owner.node)) }
        }
    }
}

/// Finds the slot of an identity's node. It is an open-addressing table that holds nothing but slots, and
/// compares by the nodes in them.
struct IdentityIndex {
    /// Each is a slot plus one; 0 is an empty cell. Their number is a power of two, or 0.
    private var cells: [UInt32] = []
    private var count = 0

    /// The key of a look in the index and in its part of the table.
    struct Key {
        let identity: ObjectIdentity
        /// The bits above those that choose the part.
        let hash: UInt64
    }

    /// The slot of the node with that identity.
    func find(_ key: Key, in slots: borrowing NodeSlots) -> Int? {
        cell(of: key, in: slots).map { Int(cells[$0]) - 1 }
    }

    /// Adds the identity's node, which had none before and is in `slot`. `hash`: gives any identity's hash as
    /// `Key` has it.
    mutating func add(
        _ key: Key, to slot: Int, in slots: borrowing NodeSlots, hash: (ObjectIdentity) -> UInt64
    ) {
        if (count + 1) * 4 > cells.count * 3 { grow(slots, hash) }
        count += 1
        put(UInt32(truncatingIfNeeded: slot + 1), key.hash)
    }

    /// Takes the identity's node out.
    mutating func remove(
        _ key: Key, in slots: borrowing NodeSlots, hash: (ObjectIdentity) -> UInt64
    ) {
        guard var hole = cell(of: key, in: slots) else { return }
        count -= 1
        guard count > 0 else {
            cells = []
            return
        }
        let mask = cells.count - 1
        var next = (hole + 1) & mask
        // An entry that was moved on from the hole's cell or an earlier one moves back, so that searches
        // needn't go on.
        while cells[next] != 0 {
            if let node = slots[Int(cells[next]) - 1] {
                let home = position(hash(node.identity))
                if (next - home) & mask >= (next - hole) & mask {
                    cells[hole] = cells[next]
                    hole = next
                }
            }
            next = (next + 1) & mask
        }
        cells[hole] = 0
    }

    private func cell(of key: Key, in slots: borrowing NodeSlots) -> Int? {
        guard !cells.isEmpty else { return nil }
        var cell = position(key.hash)
        while cells[cell] != 0 {
            if slots[Int(cells[cell]) - 1]?.stands(for: key.identity) == true { return cell }
            cell = (cell + 1) & (cells.count - 1)
        }
        return nil
    }

    private func position(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (cells.count - 1) }

    private mutating func put(_ value: UInt32, _ hash: UInt64) {
        var cell = position(hash)
        while cells[cell] != 0 { cell = (cell + 1) & (cells.count - 1) }
        cells[cell] = value
    }

    private mutating func grow(_ slots: borrowing NodeSlots, _ hash: (ObjectIdentity) -> UInt64) {
        let old = cells
        cells = [UInt32](repeating: 0, count: max(8, old.count * 2))
        for value in old where value != 0 {
            if let node = slots[Int(value) - 1] { put(value, hash(node.identity)) }
        }
    }
}

internal import LinuxSystem

/// Finds the slot of an identity's node.
struct IdentityIndex {
    /// Each number is a slot plus one.
    private var table = NumberTable<UInt32>()

    /// The key of a look in the index and in its part of the table.
    struct Key {
        let identity: ObjectIdentity
        /// The bits above those that choose the part.
        let hash: UInt64
    }

    /// The slot of the node with that identity.
    func find(_ key: Key, in slots: borrowing NodeSlots) -> Int? {
        slot(of: key, in: slots).map { Int($0) - 1 }
    }

    /// Adds the identity's node, which had none before and is in `slot`. `hash`: gives any identity's hash as
    /// `Key` has it.
    mutating func add(
        _ key: Key, to slot: Int, in slots: borrowing NodeSlots, hash: (ObjectIdentity) -> UInt64
    ) {
        table.insert(UInt32(truncatingIfNeeded: slot + 1), key.hash) { number in
            slots[Int(number) - 1].map { hash($0.identity) }
        }
    }

    /// Takes the identity's node out.
    mutating func remove(
        _ key: Key, in slots: borrowing NodeSlots, hash: (ObjectIdentity) -> UInt64
    ) {
        guard let number = slot(of: key, in: slots) else { return }
        table.remove(number, key.hash) { number in slots[Int(number) - 1].map { hash($0.identity) } }
    }

    private func slot(of key: Key, in slots: borrowing NodeSlots) -> UInt32? {
        table.first(key.hash) { slots[Int($0) - 1]?.stands(for: key.identity) == true }
    }
}

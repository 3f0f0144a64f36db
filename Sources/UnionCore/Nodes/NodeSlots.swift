/// The nodes of a part of the table, each in a slot of its own. A slot takes 8 bytes, and growing moves no
/// node.
struct NodeSlots {
    private static let chunkBits = 8

    private var chunks: [[Node?]] = []
    /// Slots that were used and are free.
    private var free: [UInt32] = []
    /// How many slots were ever used.
    private var used = 0

    var count: Int { used - free.count }

    /// The node in a slot. nil: there is none, or no such slot.
    subscript(slot: Int) -> Node? {
        let chunk = slot >> Self.chunkBits
        guard chunk < chunks.count else { return nil }
        return chunks[chunk][slot & (1 << Self.chunkBits - 1)]
    }

    /// The slot that the next node goes to.
    var next: Int { free.last.map { Int($0) } ?? used }

    /// Puts the node into the slot `next`.
    mutating func add(_ node: Node) {
        let slot = next
        if free.popLast() == nil { used += 1 }
        let chunk = slot >> Self.chunkBits
        if chunk == chunks.count { chunks.append([Node?](repeating: nil, count: 1 << Self.chunkBits)) }
        chunks[chunk][slot & (1 << Self.chunkBits - 1)] = node
    }

    mutating func remove(_ slot: Int) {
        chunks[slot >> Self.chunkBits][slot & (1 << Self.chunkBits - 1)] = nil
        free.append(UInt32(truncatingIfNeeded: slot))
        if count == 0 { self = NodeSlots() }
    }

    var nodes: [Node] { chunks.flatMap { $0.compactMap { $0 } } }
}

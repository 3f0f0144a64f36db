internal import UnionCore

/// One owner of each watch. The kernel counts watches up, so those of a time lie side by side. They are kept
/// in chunks of 32. A chunk is one array of the nodes, and behind them the layers, four in a word. That makes
/// 12 bytes a watch; a watch that outlives its neighbours costs 400.
struct FirstOwners {
    private static let chunkBits: Int32 = 5
    private static let size = 1 << Int(chunkBits)
    private static let layersPerWord = 4

    /// No node is 0: it stands for a free position.
    private var chunks: [Int32: [UInt64]] = [:]
    private(set) var count = 0
    /// The chunks in the order in which they were made, some that have gone too; and the position at which
    /// `next` goes on.
    private var order: [Int32] = []
    private var hand = (chunk: 0, index: 0)

    subscript(watch: Int32) -> Owner? {
        guard let chunk = chunks[watch >> Self.chunkBits] else { return nil }
        return Self.owner(Self.index(watch), chunk)
    }

    private static func owner(_ index: Int, _ chunk: [UInt64]) -> Owner? {
        guard chunk[index] != 0 else { return nil }
        let layer = chunk[word(index)] >> shift(index) & 0xffff
        return Owner(node: NodeID(rawValue: chunk[index]), layer: Int(layer))
    }

    mutating func set(_ watch: Int32, to owner: Owner) {
        let key = watch >> Self.chunkBits
        if self[watch] == nil { count += 1 }
        if chunks[key] == nil { begin(key) }
        let empty = [UInt64](repeating: 0, count: Self.size + Self.size / Self.layersPerWord)
        Self.store(owner, Self.index(watch), &chunks[key, default: empty])
    }

    /// The owner of another watch, from the oldest one on, round and round. nil: there is none.
    mutating func next() -> Owner? {
        guard count > 0 else { return nil }
        for _ in 0...order.count * 2 + 1 {
            if hand.chunk >= order.count {
                tidy()
                hand = (0, 0)
            }
            if let chunk = chunks[order[hand.chunk]], let owner = nextOwner(in: chunk) { return owner }
            hand = (hand.chunk + 1, 0)
        }
        return nil
    }

    private mutating func nextOwner(in chunk: [UInt64]) -> Owner? {
        while hand.index < Self.size {
            defer { hand.index += 1 }
            if let owner = Self.owner(hand.index, chunk) { return owner }
        }
        return nil
    }

    private mutating func begin(_ key: Int32) {
        if order.count > 2 * chunks.count + 64 { tidy() }
        order.append(key)
    }

    /// Leaves out the chunks that have gone, and those that stand in `order` twice.
    private mutating func tidy() {
        var seen: Set<Int32> = []
        var (kept, chunk) = ([Int32](), 0)
        for (position, key) in order.enumerated() {
            if position == hand.chunk { chunk = kept.count }
            if chunks[key] != nil, seen.insert(key).inserted { kept.append(key) }
        }
        if hand.chunk >= order.count { chunk = kept.count }
        order = kept
        hand.chunk = chunk
    }

    mutating func remove(_ watch: Int32) {
        guard self[watch] != nil else { return }
        count -= 1
        let key = watch >> Self.chunkBits
        chunks[key]?[Self.index(watch)] = 0
        guard chunks[key]?.prefix(Self.size).allSatisfy({ $0 == 0 }) == true else { return }
        chunks[key] = nil
        if chunks.isEmpty { chunks = [:] }
    }

    private static func store(_ owner: Owner, _ index: Int, _ chunk: inout [UInt64]) {
        chunk[index] = owner.node.rawValue
        let layer = UInt64(truncatingIfNeeded: owner.layer) & 0xffff
        let others = chunk[word(index)] & ~(0xffff << shift(index))
        chunk[word(index)] = others | layer << shift(index)
    }

    private static func index(_ watch: Int32) -> Int { Int(watch) & (size - 1) }
    private static func word(_ index: Int) -> Int { size + index / layersPerWord }
    private static func shift(_ index: Int) -> UInt64 { UInt64(index % layersPerWord) * 16 }
}

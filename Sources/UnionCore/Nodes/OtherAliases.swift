/// The aliases of a node except the one where it was seen last. They are added, taken out and found in
/// constant time, however many there are. Few of them need no table.
struct OtherAliases {
    private static let mostWithoutTable = 8

    /// In no order. The last one was added last, or took the room of one that went.
    private(set) var all: [NodeAlias] = []
    /// The position of each in `all`. Empty as long as there are few.
    private var positions: [ObjectIdentifier: Int] = [:]

    var isEmpty: Bool { all.isEmpty }

    /// Adds the alias if it isn't there yet.
    mutating func add(_ alias: NodeAlias) {
        guard position(of: alias) == nil else { return }
        all.append(alias)
        if !positions.isEmpty {
            positions[alias.key] = all.count - 1
        } else if all.count > Self.mostWithoutTable {
            for (position, alias) in all.enumerated() { positions[alias.key] = position }
        }
    }

    /// Takes the alias out. False: it isn't there.
    @discardableResult
    mutating func remove(_ alias: NodeAlias) -> Bool {
        guard let position = position(of: alias), let last = all.popLast() else { return false }
        if !positions.isEmpty { positions[alias.key] = nil }
        if position < all.count {
            all[position] = last
            if !positions.isEmpty { positions[last.key] = position }
        }
        if all.isEmpty { self = OtherAliases() }
        return true
    }

    mutating func takeLast() -> NodeAlias? {
        guard let last = all.last else { return nil }
        remove(last)
        return last
    }

    private func position(of alias: NodeAlias) -> Int? {
        positions.isEmpty ? all.firstIndex { $0.isSame(as: alias) } : positions[alias.key]
    }
}

internal import UnionCore

/// The owners of each watch, and the watches of each node.
///
/// Nearly every watch has one owner, and nearly every node one watch. The first owner of a watch is in the
/// compact tables. Further owners are aside: two nodes at one real object, or one node at it in two layers.
struct WatchOwners {
    private var firsts = FirstOwners()
    private var index = WatchIndex()
    private var others: [Int32: [Owner]] = [:]
    /// The watches of which a node is a further owner.
    private var watchesAside: [NodeID: [Int32]] = [:]

    /// How many watches there are.
    var count: Int { firsts.count }

    subscript(watch: Int32) -> Owners? {
        guard let first = firsts[watch] else { return nil }
        return Owners(first: first, others: others.isEmpty ? [] : others[watch] ?? [])
    }

    /// The first owner of another watch, from the oldest one on, round and round. nil: there is none.
    mutating func nextOldest() -> Owner? { firsts.next() }

    /// Adds the owner unless it is one already.
    mutating func insert(_ owner: Owner, for watch: Int32) {
        guard let first = firsts[watch] else { return setFirst(owner, of: watch) }
        if first == owner || others[watch]?.contains(owner) == true { return }
        others[watch, default: []].append(owner)
        if watchesAside[owner.node]?.contains(watch) != true {
            watchesAside[owner.node, default: []].append(watch)
        }
    }

    /// Takes the node from its watches. Returns those that have no owner then.
    mutating func remove(_ node: NodeID) -> [Int32] {
        if !watchesAside.isEmpty { leaveAside(node) }
        return index.watches(of: node, in: firsts).filter { watch in
            index.remove(watch, of: node, in: firsts)
            firsts.remove(watch)
            return !promote(watch)
        }
    }

    /// Forgets a watch that has ended.
    mutating func remove(_ watch: Int32) {
        guard let first = firsts[watch] else { return }
        index.remove(watch, of: first.node, in: firsts)
        firsts.remove(watch)
        guard !others.isEmpty, let aside = others.removeValue(forKey: watch) else { return }
        for owner in aside { forgetAside(watch, owner.node) }
    }

    private mutating func setFirst(_ owner: Owner, of watch: Int32) {
        firsts.set(watch, to: owner)
        index.insert(watch, of: owner.node, in: firsts)
    }

    /// Makes a further owner the first one. False: there is none.
    private mutating func promote(_ watch: Int32) -> Bool {
        guard !others.isEmpty, let owner = others[watch]?.popLast() else { return false }
        let isStillAside = others[watch]?.contains { $0.node == owner.node } == true
        if others[watch]?.isEmpty == true { others[watch] = nil }
        if !isStillAside { forgetAside(watch, owner.node) }
        setFirst(owner, of: watch)
        return true
    }

    private mutating func leaveAside(_ node: NodeID) {
        for watch in watchesAside.removeValue(forKey: node) ?? [] {
            others[watch]?.removeAll { $0.node == node }
            if others[watch]?.isEmpty == true { others[watch] = nil }
        }
    }

    private mutating func forgetAside(_ watch: Int32, _ node: NodeID) {
        watchesAside[node]?.removeAll { $0 == watch }
        if watchesAside[node]?.isEmpty == true { watchesAside[node] = nil }
    }
}

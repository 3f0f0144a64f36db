/// The aliases that lead from a node up to the root, its own first.
///
/// Aliases are where objects were seen. Two of them need not have been true at one time, so they may go round in a
/// circle: strangers move directories into one another. The way ends where it has come round, which isn't at the root.
struct WayUp: Sequence, IteratorProtocol {
    /// The node that the way has come to.
    private(set) var node: Node
    // Brent's method: each node is compared with one that is left behind ever longer.
    private var left: Node
    /// -1: it has come round.
    private var steps = 0
    private var patience = 8

    init(from node: Node) {
        self.node = node
        left = node
    }

    mutating func next() -> NodeAlias? {
        guard let alias = node.alias, steps >= 0 else { return nil }
        node = alias.parent
        if node === left {
            steps = -1
            return alias
        }
        steps += 1
        if steps == patience {
            left = node
            patience *= 2
            steps = 0
        }
        return alias
    }
}

internal import LinuxSystem

/// What the kernel may still know by names under which something else was reported since, or that are being
/// dropped. (Of two files that were reported the alias says so: `NodeAlias.isContested`.)
///
/// A client that is about to change a name has a lock on the name and on the directory that the kernel knew
/// by it. Meanwhile another directory may be reported by the name, or this one be dropped: the change
/// concerns this one all the same.
struct ReportDoubts {
    /// A client's change is over before so many others in one directory.
    private static let most = 32

    private struct Doubt {
        let name: UInt64
        let node: NodeID
    }

    /// The doubts, the oldest first.
    private var doubts: [Doubt] = []

    func nodes(of name: PathRef) -> [NodeID] {
        if doubts.isEmpty { return [] }
        let name = name.hash
        return doubts.filter { $0.name == name }.map(\.node)
    }

    mutating func add(_ node: NodeID, of name: PathRef) {
        remove([node], of: name)
        if doubts.count == Self.most { doubts.removeFirst() }
        doubts.append(Doubt(name: name.hash, node: node))
    }

    mutating func remove(_ nodes: [NodeID], of name: PathRef) {
        if doubts.isEmpty { return }
        let name = name.hash
        doubts.removeAll { $0.name == name && nodes.contains($0.node) }
    }
}

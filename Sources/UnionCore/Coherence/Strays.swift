internal import LinuxSystem
internal import Synchronization

/// Directories that somebody stands in, and that the kernel knows by no name: strangers have moved them, or their names were
/// dropped. No directory's table of names leads to them. The lock is a leaf.
final class Strays: Sendable {
    private let nodes = Mutex<[NodeID: Node]>([:])

    /// Notes that the directory may be one. `isKnown`: whether the kernel knows the directory still, asked thereafter.
    func note(_ node: Node, isKnown: () -> Bool) {
        nodes.withLock { $0[node.id] = node }
        if !isKnown() { forget(node.id) }
    }

    /// The kernel has forgotten the directory, or knows it by a name.
    func forget(_ node: NodeID) { nodes.withLock { $0[node] = nil } }

    /// Those that were seen last in the directory.
    func all(in directory: Node) -> [Node] {
        let nodes = nodes.withLock { $0.isEmpty ? [] : Array($0.values) }
        return nodes.filter { node in
            if node.isReportedAtItsAlias {
                forget(node.id)
                return false
            }
            return node.alias?.parent === directory
        }
    }
}

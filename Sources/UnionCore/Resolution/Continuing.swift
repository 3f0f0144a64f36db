internal import LinuxSystem
internal import SystemPackage

extension Resolver {
    /// Whether the node is what these layers have under the name now. It is if some real part of it is there
    /// still, or if there was a directory under the name all the time.
    func continues(_ node: Node, as makeup: Makeup, at name: PathRef, in directory: Node) -> Bool {
        if node.continues(as: makeup) { return true }
        guard node.isDirectory, !node.isDead, makeup.layers != 0 else { return false }
        // The node has moved with what it is in, and since then it is where it was found. This is another
        // directory.
        if node.alias?.isAt(directory, name) != true && stands(node) { return false }
        coherence.source?.drain()
        return coherence.continuity.isSame(node, makeup.layers, at: name, in: directory)
    }

    /// Whether the node is what the real directories of the view are, at the node's alias.
    func continues(_ node: Node, as view: borrowing DirectoryView) -> Bool {
        if view.shows(node) { return true }
        guard !view.isEmpty, node.isReportedAtItsAlias, let alias = node.alias else { return false }
        coherence.source?.drain()
        return coherence.continuity.isSame(node, view.layers, at: alias.name, in: alias.parent)
    }
}

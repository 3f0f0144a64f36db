internal import LinuxSystem
internal import SystemPackage

// What the kernel knows by the names after a rename through the union.
extension Reporting {
    /// The kernel moves what it knew by the old name over what it knew by the new one. Where that isn't what the layer
    /// did, as somebody else stood there a moment before, both names are looked at again.
    ///
    /// `lookAtMakeup`: the marks that the directory got are no news.
    func noteMoved(
        _ source: borrowing Target, _ name: PathRef, to destination: borrowing Target, _ newName: PathRef,
        _ layer: Layer, isSameFile: Bool = false, lookAtMakeup: (Node) -> Void
    ) {
        let (from, to) = (source.directory, destination.directory)
        noteChanged(from, to)
        let moving = knownNode(source.lookup, name, in: from)
        let alias = from.unreport(name)
        let moved = alias.flatMap { table.find($0.node) }
        if let alias { moved?.forget(alias, isGone: !isSameFile) }
        if let moved {
            noteReplaced(put(moved, at: newName, in: to, layer), by: moved, at: newName, in: to)
        }
        noteMovedEntry(moving, known: moved, at: newName, in: to, layer)
        if let moved { lookAtMakeup(moved) }
        // Then rename(2) did nothing, and brings no event.
        if isSameFile || moving == nil || moving !== moved || !from.doubts(of: name).isEmpty {
            queueLook(at: source, name, destination, newName)
        }
    }

    /// Looks from before the change aren't told any more: they would say that things are where they were.
    private func noteChanged(_ from: Node, _ to: Node) {
        from.outdateLooks(at: coherence.tick())
        to.outdateLooks(at: coherence.tick())
    }

    /// The kernel knows the node by the name from now on. Returns what it was told by it before.
    private func put(_ node: Node, at name: PathRef, in directory: Node, _ layer: Layer) -> NodeAlias? {
        let alias = NodeAlias(of: node, in: directory, name, layer: layer.index, reported: coherence.now)
        let displaced = directory.notePut(alias)
        if node.isDirectory { node.noteSettled(in: directory.makeup.backings) }
        node.noteSeen(at: alias)
        return displaced?.node == node.id ? nil : displaced
    }

    /// What the layer moved, where the kernel has moved another one.
    private func noteMovedEntry(
        _ node: Node?, known: Node?, at name: PathRef, in directory: Node, _ layer: Layer
    ) {
        guard let node, node !== known else { return }
        node.noteSeen(
            at: NodeAlias(of: node, in: directory, name, layer: layer.index, reported: coherence.now))
    }

    /// What the kernel knew by the name has lost it, and a directory is dead.
    private func noteReplaced(_ displaced: NodeAlias?, by node: Node, at name: PathRef, in directory: Node) {
        if let displaced { noteDisplaced(displaced) }
        directory.endDoubts([node.id], of: name)
        noteDead(at: name, in: directory)
    }

    private func queueLook(
        at source: borrowing Target, _ name: PathRef, _ destination: borrowing Target, _ newName: PathRef
    ) {
        guard coherence.plan.isLasting else { return }
        coherence.invalidations.appendName(source.directory.id, name)
        coherence.invalidations.appendName(destination.directory.id, newName)
    }

    /// The same of RENAME_EXCHANGE: the kernel exchanges what it knew by the two names.
    func noteExchanged(
        _ source: borrowing Target, _ name: PathRef, _ destination: borrowing Target, _ newName: PathRef,
        _ layer: Layer
    ) {
        let (from, to) = (source.directory, destination.directory)
        noteChanged(from, to)
        let moving = knownNode(source.lookup, name, in: from)
        let other = knownNode(destination.lookup, newName, in: to)
        let moved = take(name, from: from)
        let exchanged = take(newName, from: to)
        // Neither is gone, whatever a look at the names told meanwhile.
        let displaced = [
            moved.flatMap { put($0, at: newName, in: to, layer) },
            exchanged.flatMap { put($0, at: name, in: from, layer) },
        ]
        for case let alias? in displaced { table.find(alias.node)?.forget(alias, isGone: false) }
        noteMovedEntry(moving, known: moved, at: newName, in: to, layer)
        noteMovedEntry(other, known: exchanged, at: name, in: from, layer)
        for node in [moved, exchanged] where node?.isDirectory == true {
            if let node { try? lookAtMakeup(of: node) }
        }
        let isSure = moving != nil && other != nil && moving === moved && other === exchanged
        if !isSure || displaced.contains(where: { $0 != nil }) {
            queueLook(at: source, name, destination, newName)
        }
    }

    /// What the kernel knew by the name, which it knows by another one now.
    private func take(_ name: PathRef, from directory: Node) -> Node? {
        guard let alias = directory.unreport(name), let node = table.find(alias.node) else { return nil }
        node.forget(alias, isGone: true)
        return node
    }
}

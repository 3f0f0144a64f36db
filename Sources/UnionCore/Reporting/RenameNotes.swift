internal import LinuxSystem
internal import SystemPackage

// What the kernel knows by the names after a rename through the union.
extension Reporting {
    /// Moves in the tables what the kernel knew by the old name over what it knew by the new one, as the
    /// kernel does. If the layer moved something else, because another object stood there a moment before,
    /// both names are looked at again.
    ///
    /// `lookAtMakeup`: takes in the marks that the directory got, so that they are no news later.
    func noteMoved(
        _ source: borrowing Target, _ name: PathRef, to destination: borrowing Target, _ newName: PathRef,
        _ layer: Layer, isSameFile: Bool = false, lookAtMakeup: (Node) -> Void
    ) {
        let (from, to) = (source.directory, destination.directory)
        noteChanged(from, to)
        let moving = knownNode(source.lookup, name, in: from)
        let doubts = takeDoubts(of: name, from: from)
        let known = take(name, from: from, isGone: !isSameFile)
        let moved = known?.node
        if let known {
            noteReplaced(put(known, at: newName, in: to, layer), by: moved, at: newName, in: to)
        } else {
            noteReplaced(to.unreport(newName), by: nil, at: newName, in: to)
            dropUnknown(newName, in: to)
        }
        to.addDoubts(doubts, of: newName)
        noteMovedEntry(moving, known: moved, at: newName, in: to, layer)
        if let moved { lookAtMakeup(moved) }
        // For two names of one file rename(2) did nothing, and brings no event. Else it isn't sure what the
        // kernel moved.
        let isSure = known?.isSure == true && moving === moved && doubts.isEmpty
        if isSameFile || !isSure { queueLook(at: source, name, destination, newName) }
    }

    /// Makes sure that looks from before the change aren't reported any more: they would say that objects are
    /// where they were.
    private func noteChanged(_ from: Node, _ to: Node) {
        from.outdateLooks(at: coherence.tick())
        to.outdateLooks(at: coherence.tick())
    }

    /// What the kernel knew by a name that it has moved.
    private struct Moved {
        let node: Node
        /// False: the kernel may have known something else.
        let isSure: Bool
    }

    /// Takes the name from the node that the kernel knew by it. Returns the node, which the kernel knows by
    /// another name now. nil: it isn't known what the kernel has moved.
    private func take(_ name: PathRef, from directory: Node, isGone: Bool = true) -> Moved? {
        guard let alias = directory.unreport(name), let node = table.find(alias.node) else { return nil }
        // Another directory's watch tells of it now.
        if !node.isDirectory { endKeepingByDirectory(of: alias) }
        node.forget(alias, isGone: isGone)
        return Moved(node: node, isSure: !alias.isContested)
    }

    /// Takes what else the kernel may have known by a name that it has moved.
    private func takeDoubts(of name: PathRef, from directory: Node) -> [NodeID] {
        let doubts = directory.doubts(of: name)
        directory.endDoubts(doubts, of: name)
        return doubts
    }

    /// Has the kernel drop a name to which it has moved nobody knows what. A drop of the old name was under
    /// way, and has waited for the lock that the client holds: there it finds nothing any more. Or the old name
    /// was contested, and the node was forgotten.
    private func dropUnknown(_ name: PathRef, in directory: Node) {
        if coherence.plan.isLasting { coherence.invalidations.append(.unknown(directory.id, name.array)) }
    }

    /// Notes that the kernel knows the node by the name from now on. Returns the alias that it knew by that
    /// name before.
    private func put(_ moved: Moved, at name: PathRef, in directory: Node, _ layer: Layer) -> NodeAlias? {
        let node = moved.node
        let alias = NodeAlias(of: node, in: directory, name, layer: layer.index, reported: coherence.now)
        if !moved.isSure { alias.contest() }
        let displaced = directory.notePut(alias)
        if node.isDirectory { node.noteSettled(in: directory.makeup.backings) }
        node.noteSeen(at: alias)
        return displaced?.node == node.id ? nil : displaced
    }

    /// Notes where the layer's object is, if the kernel has moved another one.
    private func noteMovedEntry(
        _ node: Node?, known: Node?, at name: PathRef, in directory: Node, _ layer: Layer
    ) {
        guard let node, node !== known else { return }
        node.noteSeen(
            at: NodeAlias(of: node, in: directory, name, layer: layer.index, reported: coherence.now))
    }

    /// Notes that the node that the kernel knew by the name has lost it. If it is a directory, it is dead.
    private func noteReplaced(_ displaced: NodeAlias?, by node: Node?, at name: PathRef, in directory: Node) {
        if let displaced { noteDisplaced(displaced) }
        if let node { directory.endDoubts([node.id], of: name) }
        noteDead(at: name, in: directory)
    }

    private func queueLook(
        at source: borrowing Target, _ name: PathRef, _ destination: borrowing Target, _ newName: PathRef
    ) {
        guard coherence.plan.isLasting else { return }
        coherence.invalidations.appendName(source.directory.id, name)
        coherence.invalidations.appendName(destination.directory.id, newName)
    }

    /// Exchanges in the tables what the kernel knew by the two names, as the kernel does after
    /// RENAME_EXCHANGE.
    func noteExchanged(
        _ source: borrowing Target, _ name: PathRef, _ destination: borrowing Target, _ newName: PathRef,
        _ layer: Layer
    ) {
        let (from, to) = (source.directory, destination.directory)
        noteChanged(from, to)
        let moving = knownNode(source.lookup, name, in: from)
        let other = knownNode(destination.lookup, newName, in: to)
        let doubts = (takeDoubts(of: name, from: from), takeDoubts(of: newName, from: to))
        let known = take(name, from: from)
        let knownOther = take(newName, from: to)
        let (moved, exchanged) = (known?.node, knownOther?.node)
        // Both are still there, whatever was reported of the names meanwhile.
        let displaced = [
            known.flatMap { put($0, at: newName, in: to, layer) },
            knownOther.flatMap { put($0, at: name, in: from, layer) },
        ]
        if known == nil { dropUnknown(newName, in: to) }
        if knownOther == nil { dropUnknown(name, in: from) }
        to.addDoubts(doubts.0, of: newName)
        from.addDoubts(doubts.1, of: name)
        for case let alias? in displaced { table.find(alias.node)?.forget(alias, isGone: false) }
        noteMovedEntry(moving, known: moved, at: newName, in: to, layer)
        noteMovedEntry(other, known: exchanged, at: name, in: from, layer)
        for node in [moved, exchanged] where node?.isDirectory == true {
            if let node { try? lookAtMakeup(of: node) }
        }
        let isSure =
            known?.isSure == true && knownOther?.isSure == true && moving === moved && other === exchanged
            && doubts.0.isEmpty && doubts.1.isEmpty
        if !isSure || displaced.contains(where: { $0 != nil }) {
            queueLook(at: source, name, destination, newName)
        }
    }
}

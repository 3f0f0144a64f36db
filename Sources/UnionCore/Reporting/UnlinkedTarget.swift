internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A node that is about to lose a name. Its real object is kept in reach from before the loss. It stays so
/// until the kernel forgets the node, or until it turns out that the node has kept a name.
struct UnlinkedTarget: ~Copyable {
    let node: Node?
    private let holdsObject: Bool

    init(_ node: Node?, _ object: consuming OwnedDescriptor?) {
        self.node = node
        guard let node, let object = object else {
            holdsObject = false
            return
        }
        holdsObject = true
        let descriptor = object.release()
        let unneeded: FileDescriptor? = node.state.withLock { $0.beginDeparture(descriptor) }
        if let unneeded { _ = OwnedDescriptor(owning: unneeded) }
    }

    deinit {
        guard holdsObject, let node else { return }
        // Other names that the node is known by may have gone as well, underneath. A layer may hang, so no
        // lock is held over the call. What is held stays until this departure has ended.
        let unlinkedObject: FileDescriptor? = node.state.withLock {
            $0.alias == nil ? nil : $0.unlinkedObject
        }
        let hasLinks = unlinkedObject.map { (try? $0.status().linkCount) != 0 } ?? false
        let unneeded: FileDescriptor? = node.state.withLock {
            $0.endDeparture(hasName: hasLinks && $0.alias != nil)
        }
        if let unneeded { _ = OwnedDescriptor(owning: unneeded) }
    }

    /// Ends the departure: the name has gone.
    consuming func nameIsGone() {}
}

extension Reporting {
    /// Prepares for the loss of a name: clients that have the object open, or stand in it, go on with it.
    func unlinkedTarget(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) -> UnlinkedTarget {
        guard let layerEntry = lookup.owner, let node = knownNode(lookup, name, in: directory),
            let real = view.directory(in: layerEntry.layer.index)
        else { return UnlinkedTarget(nil, nil) }
        return UnlinkedTarget(node, try? real.openBeneath(name, flags: [.path, .noFollow]))
    }

    /// The node by which the kernel knows what the lookup shows.
    func knownNode(_ lookup: NameLookup, _ name: PathRef, in directory: Node) -> Node? {
        guard let owner = lookup.owner else { return nil }
        guard owner.isDirectory else { return table.find(resolver.identity(of: owner)) }
        let makeup = Makeup(of: lookup)
        if let reported = directory.reported(name).flatMap({ table.find($0.node) }),
            resolver.continues(reported, as: makeup, at: name, in: directory)
        {
            return reported
        }
        guard let node = table.directory(ownedBy: Makeup.part(owner.status, in: owner.layer)),
            !node.isRoot, node.continues(as: makeup), node.alias?.isAt(directory, name) == true
        else { return nil }
        return node
    }

    /// Notes that a client has taken the name away. The node that the kernel knew by it has lost it. A
    /// directory is dead to the kernel, though it may live on where a stranger had moved it a moment before.
    func noteTakenAway(_ name: PathRef, from directory: Node) {
        // Earlier looks aren't reported any more.
        directory.outdateLooks(at: coherence.tick())
        let alias = directory.noteTakenAway(name)
        if let alias { noteDisplaced(alias) }
        noteDead(at: name, in: directory)
    }

    /// Notes that a client has put something else under the name. The node that the kernel knew by it has
    /// lost it, and a directory is dead.
    func noteDisplaced(_ alias: NodeAlias) {
        guard let node = table.find(alias.node) else { return }
        if node.isDirectory { node.die() }
        node.forget(alias, isGone: true)
    }

    /// Notes that each directory that the kernel may have known by the name is dead: it isn't sure which one
    /// it was.
    func noteDead(at name: PathRef, in directory: Node) {
        let doubts = directory.doubts(of: name)
        for node in doubts { table.find(node)?.die() }
        directory.endDoubts(doubts, of: name)
    }
}

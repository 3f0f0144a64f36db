internal import LinuxSystem
internal import SystemPackage

extension Reporting {
    /// What is marked on the directory has changed, and by that what it is made of. `isLess`: what isn't part of it any
    /// more is out of reach at once. More of it must be watched first.
    func settleMakeup(of node: Node, isLess: Bool) throws(Errno) {
        let isLasting = coherence.plan.isLasting
        if isLess || !isLasting { try lookAtMakeup(of: node) }
        // What the kernel has of the names in it is put right, and of those below.
        if isLasting { coherence.invalidations.append(isLess ? .names(node.id) : .object(node.id)) }
    }

    /// Looks at what the directory is made of at its alias.
    func lookAtMakeup(of node: Node) throws(Errno) {
        guard let alias = node.alias else { return }
        let view = try resolver.view(of: alias.parent)
        let lookup = try resolver.lookup(view, alias.name, in: alias.parent)
        guard let owner = lookup.owner, node.continues(as: Makeup(of: lookup)) else { return }
        let filesystem = try resolver.filesystem(of: owner, alias.name, view)
        setMakeup(
            Makeup(of: lookup), resolver.directoryOwner(owner, filesystem), of: node, begun: lookup.begun)
    }

    /// Orphans show or don't show any more: all that the kernel knows is looked at again.
    func lookAtEverything() {
        if coherence.plan.isLasting { coherence.invalidations.append(.everything) }
    }

    /// After a client has taken something out of the directory: an orphan that lost its last entry isn't shown any more, nor
    /// is one that held nothing else. Their names are to be looked at again.
    func leaveEmptied(_ directory: Node) {
        var current = directory
        while let skeleton = resolver.emptiedSkeleton(of: current), let alias = current.alias {
            resolver.emptied.note(skeleton)
            if coherence.plan.isLasting { coherence.invalidations.appendName(alias.parent.id, alias.name) }
            current = alias.parent
        }
    }
}

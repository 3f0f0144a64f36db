internal import LinuxSystem
internal import SystemPackage

extension Reporting {
    /// Sees to the kernel's names after the marks on the directory have changed, and by them what it is made
    /// of. `isLess`: parts have left it, and are out of reach at once. Parts that join it must be watched
    /// first.
    func settleMakeup(of node: Node, isLess: Bool) throws(Errno) {
        let isLasting = coherence.plan.isLasting
        if isLess || !isLasting { try lookAtMakeup(of: node) }
        // The notify thread puts right what the kernel has of the names in it, and of those below.
        if isLasting { coherence.invalidations.append(isLess ? .names(node.id) : .object(node.id)) }
    }

    /// Looks at what the directory is made of at its alias, and notes that.
    func lookAtMakeup(of node: Node) throws(Errno) {
        guard let alias = node.alias else { return }
        let view = try resolver.view(of: alias.parent)
        let lookup = try resolver.lookup(view, alias.name, in: alias.parent)
        guard let owner = lookup.owner, node.continues(as: Makeup(of: lookup)) else { return }
        let filesystem = try resolver.filesystem(of: owner, alias.name, view)
        setMakeup(
            Makeup(of: lookup), resolver.directoryOwner(owner, filesystem), of: node, begun: lookup.begun)
    }

    /// Has the notify thread look at all that the kernel knows: orphans now show, or don't any more.
    func lookAtEverything() {
        if coherence.plan.isLasting { coherence.invalidations.append(.everything) }
    }

    /// Has the names of emptied orphans looked at again, after a client has taken something out of the
    /// directory. An orphan that lost its last entry isn't shown any more, nor is one that held only such an
    /// orphan.
    func leaveEmptied(_ directory: Node) {
        var current = directory
        while let skeleton = resolver.emptiedSkeleton(of: current), let alias = current.alias {
            resolver.emptied.note(skeleton)
            if coherence.plan.isLasting { coherence.invalidations.appendName(alias.parent.id, alias.name) }
            current = alias.parent
        }
    }
}

internal import LinuxSystem
internal import SystemPackage

extension Reporting {
    /// What is marked on the directory has changed, and by that what it is made of. `isLess`: what isn't part of it any
    /// more is out of reach at once. More of it must be watched first.
    func settleMakeup(of node: Node, isLess: Bool) throws(Errno) {
        let isLasting = coherence.plan.isLasting
        if isLess || !isLasting { try takeMakeup(of: node) }
        // What the kernel has of the names in it is put right, and of those below.
        if isLasting { coherence.invalidator.append(isLess ? .names(node.id) : .object(node.id)) }
    }

    /// Looks at what the directory is made of at its place.
    func takeMakeup(of node: Node) throws(Errno) {
        guard let place = node.place else { return }
        let view = try resolver.view(of: place.parent)
        let survey = try resolver.survey(view, place.name, in: place.parent)
        guard let owner = survey.owner, node.continues(as: Makeup(of: survey)) else { return }
        let filesystem = try resolver.filesystem(of: owner, place.name, view)
        take(Makeup(of: survey), resolver.directoryOwner(owner, filesystem), of: node, begun: survey.begun)
    }

    /// Orphans show or don't show any more: all that the kernel knows is looked at again.
    func lookAtEverything() {
        if coherence.plan.isLasting { coherence.invalidator.append(.everything) }
    }

    /// After a client has taken something out of the directory: an orphan that lost its last entry isn't shown any more, nor
    /// is one that held nothing else. Their names are to be looked at again.
    func leaveEmptied(_ directory: Node) {
        var current = directory
        while let skeleton = resolver.emptiedSkeleton(of: current), let place = current.place {
            resolver.emptied.note(skeleton)
            if coherence.plan.isLasting { coherence.invalidator.appendName(place.parent.id, place.name) }
            current = place.parent
        }
    }
}

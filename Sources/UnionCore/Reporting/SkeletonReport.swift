internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A skeleton that was put in place.
struct MadeSkeleton {
    let status: FileStatus
    /// It was watched before anything could be made in it.
    let isWatched: Bool
}

extension Reporting {
    /// Watches a skeleton that is about to be put in place: it is one more directory that backs the node.
    /// Returns whether it is watched, or needs no watch in its layer.
    func watchSkeleton(_ skeleton: FileDescriptor, of node: Node) -> Bool {
        guard node.state.withLock({ $0.isCached }), let upper = stack.upper else { return false }
        guard coherence.plan.choices[upper.index].mode == .watch else { return true }
        let filesystem = try? stack.filesystems.facts(of: skeleton)
        if filesystem?.isControlGroups == true { node.state.withLock { $0.isControlGroup = true } }
        let isWatched =
            coherence.source.map { source in
                makeRoomForWatch(source)
                    && source.watch(
                        skeleton, for: node.id, layer: upper.index,
                        as: .init(directoryOn: filesystem))
            } ?? false
        if !isWatched { noteUnwatched(node) }
        return isWatched
    }

    /// Notes that a skeleton was made. One more layer now backs the directory than was reported, and no user
    /// can see it.
    func noteLayers(of node: Node, with made: MadeSkeleton) {
        guard let upper = stack.upper, let alias = node.alias,
            let view = try? resolver.view(of: alias.parent),
            let lookup = try? resolver.lookup(view, alias.name, in: alias.parent), let owner = lookup.owner,
            let filesystem = stack.filesystems.find(owner.status.device),
            let layerEntry = lookup.visible.first(where: { $0.layer === upper }),
            resolver.identity(of: layerEntry).matches(made.status)
        else { return }
        // Any other difference is a stranger's doing, and its event tells of it.
        guard !coherence.plan.isLasting || node.makeup.backings == Makeup(of: lookup, without: upper).backings
        else { return }
        setMakeup(
            Makeup(of: lookup), resolver.directoryOwner(owner, filesystem), of: node, begun: lookup.begun,
            mayGrow: made.isWatched)
    }
}

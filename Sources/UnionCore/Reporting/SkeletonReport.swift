internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

extension Reporting {
    /// A skeleton about to be put in place is one more directory that backs the node. Returns whether it is watched, or
    /// needs no watch in its layer.
    func watchSkeleton(_ skeleton: FileDescriptor, of node: Node) -> Bool {
        guard node.state.withLock({ $0.isCached }), let upper = stack.upper else { return false }
        guard coherence.plan.choices[upper.index].mode == .watch else { return true }
        let isWatched =
            coherence.source.map { source in
                makeRoomForWatch(source)
                    && source.watch(skeleton, for: node.id, layer: upper.index, isDirectory: true)
            } ?? false
        if !isWatched { noteUnwatched(node) }
        return isWatched
    }

    /// A skeleton was made: one more layer backs the directory than it was told with, and nobody can see it.
    func noteLayers(of node: Node, with made: MadeSkeleton) {
        guard let upper = stack.upper, let place = node.place, let view = try? resolver.view(of: place.parent),
            let survey = try? resolver.survey(view, place.name, in: place.parent), let owner = survey.owner,
            let filesystem = stack.filesystems.find(owner.status.device),
            let standing = survey.visible.first(where: { $0.layer === upper }),
            resolver.identity(of: standing).matches(made.status)
        else { return }
        // Anything else than the skeleton is a stranger's doing, and known by its event.
        guard !coherence.plan.isLasting || node.makeup.backings == Makeup(of: survey, without: upper).backings
        else { return }
        take(
            Makeup(of: survey), resolver.directoryOwner(owner, filesystem), of: node, begun: survey.begun,
            mayGrow: made.isWatched)
    }
}

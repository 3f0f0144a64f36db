internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Before the kernel is told anything that it may keep: first the watch, then the node's registration, then the
// look whose answer it is told. Any later change then brings an event that finds the registration; any earlier
// one is in the answer.

extension Union {
    /// For how long names in the directory may be kept, when they were looked for in the view: only if that is
    /// of the very directories that are watched for the node.
    func entrySeconds(in directory: Node, _ view: borrowing DirectoryView) throws(Errno) -> Double {
        let plan = coherence.plan
        guard plan.isLasting else { return plan.freshness.entrySeconds }
        let (isCached, told) = directory.state.withLock { ($0.isCached, $0.layersTold) }
        guard isCached else { return 0 }
        return try view.layersMark() == told ? CoherencePlan.lasting : 0
    }

    /// Sees to it that what stands under the name can be kept. Returns whether the layers must be looked at
    /// again: the watch is newer than the look.
    func prepareCaching(
        of node: Node, _ survey: Survey, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) -> Bool {
        guard coherence.plan.isLasting else { return false }
        guard directory.state.withLock({ $0.isCached }) else {
            // What a directory's name denotes may change unseen: nothing below it is kept.
            if node.isDirectory { node.state.withLock { $0.isCached = false } }
            return false
        }
        return node.isDirectory
            ? watchDirectory(node, survey, name, view) : watchFile(node, survey, name, view)
    }

    private func watchDirectory(
        _ node: Node, _ survey: Survey, _ name: PathRef, _ view: borrowing DirectoryView
    ) -> Bool {
        let mark = survey.layersMark
        let isCurrent = node.state.withLock { state in
            (state.isCached || state.isDegraded) && state.layersTold == mark
        }
        if isCurrent { return false }
        var isWatched = true
        for standing in survey.visible {
            guard isWatched, let parent = view.directory(in: standing.layer.index) else { continue }
            isWatched = watch(standing, name, in: parent, for: node)
        }
        node.state.withLock { state in
            if !isWatched && !state.isDegraded { coherence.degraded.add(1, ordering: .relaxed) }
            if isWatched && state.isDegraded { coherence.degraded.subtract(1, ordering: .relaxed) }
            state.isDegraded = !isWatched
            state.isCached = isWatched
            state.layersTold = mark
        }
        return true
    }

    /// One real directory of a node.
    private func watch(
        _ standing: Standing, _ name: PathRef, in parent: FileDescriptor, for node: Node
    ) -> Bool {
        let layer = standing.layer
        guard let filesystem = stack.filesystems.find(standing.status.device),
            coherence.plan.suits(layer, filesystem)
        else { return false }
        guard coherence.plan.choices[layer.index].mode == .watch else { return true }
        guard let source = coherence.source,
            let object = try? parent.openBeneath(name, flags: [.path, .directory, .noFollow])
        else { return false }
        return source.watch(object.descriptor, for: node.id, layer: layer.index, isDirectory: true)
    }

    private func watchFile(
        _ node: Node, _ survey: Survey, _ name: PathRef, _ view: borrowing DirectoryView
    ) -> Bool {
        guard mayWatch(node), let owner = survey.owner,
            let parent = view.directory(in: owner.layer.index)
        else { return false }
        guard coherence.plan.choices[owner.layer.index].mode == .watch else {
            node.state.withLock { $0.isCached = true }
            return false
        }
        guard let object = try? parent.openBeneath(name, flags: [.path, .noFollow]) else { return false }
        return watch(object.descriptor, for: node, layer: owner.layer.index)
    }

    /// A file without a watch that could have one. While somebody writes to it through the union its
    /// attributes change all the time, and aren't kept.
    private func mayWatch(_ node: Node) -> Bool {
        node.state.withLock { state in
            !state.isCached && !state.isDegraded && state.openFiles?.hasWriter != true
        }
    }

    private func watch(_ object: FileDescriptor, for node: Node, layer: Int) -> Bool {
        guard let source = coherence.source else { return false }
        let isWatched = source.watch(object, for: node.id, layer: layer, isDirectory: false)
        node.state.withLock { state in
            state.isCached = isWatched
            state.isDegraded = !isWatched
        }
        return isWatched
    }

    /// The same for a file that was found by itself. Returns whether it must be looked at again.
    func prepareCaching(of node: Node, _ object: FileDescriptor, in layer: Layer) -> Bool {
        guard coherence.plan.isLasting, !node.isDirectory, mayWatch(node) else { return false }
        guard coherence.plan.choices[layer.index].mode == .watch else {
            node.state.withLock { $0.isCached = true }
            return false
        }
        return watch(object, for: node, layer: layer.index)
    }

    /// For how long the attributes that are about to be told may be kept, and a note that they were told.
    /// `layers`: a directory's mark of those that backed it in the look.
    func attributeSeconds(of node: Node, telling attributes: Attributes, layers: UInt64) -> Double {
        let plan = coherence.plan
        guard plan.isLasting else { return plan.freshness.attributeSeconds }
        return node.state.withLock { state in
            if state.openFiles?.hasWriter == true { return 0 }
            guard state.isCached else {
                // A file without a watch: a directory's watch tells of most changes by its name, not of all.
                return state.isDegraded && !node.isDirectory && attributes.linkCount == 1 ? 1 : 0
            }
            if node.isDirectory && state.layersTold != layers { return 0 }
            state.attributesTold = attributes.mark
            return CoherencePlan.lasting
        }
    }

    /// Somebody opens the file for writing through the union: its attributes aren't kept until the last such
    /// handle is released, and what the kernel has of them goes.
    func endCaching(of node: Node) {
        guard coherence.plan.isLasting else { return }
        let wasCached = node.state.withLock { state in
            defer { state.isCached = false }
            return state.isCached
        }
        guard wasCached else { return }
        coherence.source?.unwatch(node.id)
        coherence.invalidator.append(.attributes(node.id))
    }

    /// The kernel has forgotten the node.
    func endWatch(of node: Node) {
        guard coherence.plan.isLasting else { return }
        let wasDegraded = node.state.withLock { $0.isDegraded && node.isDirectory }
        if wasDegraded { coherence.degraded.subtract(1, ordering: .relaxed) }
        coherence.source?.unwatch(node.id)
    }

    /// A skeleton about to be put in place is one more directory that backs the node.
    func watchSkeleton(_ skeleton: FileDescriptor, of node: Node) {
        guard node.state.withLock({ $0.isCached }), let upper = stack.upper,
            coherence.plan.choices[upper.index].mode == .watch
        else { return }
        let isWatched =
            coherence.source?.watch(skeleton, for: node.id, layer: upper.index, isDirectory: true) ?? false
        if !isWatched { node.state.withLock { $0.isCached = false } }
    }

    /// A skeleton was made: other layers back the directory than it was told with, and nobody can see it.
    func noteLayers(of node: Node) {
        guard coherence.plan.isLasting, let place = node.place, let view = try? view(of: place.parent),
            let survey = try? survey(view, place.name.ref, in: place.parent)
        else { return }
        let mark = survey.layersMark
        node.state.withLock { $0.layersTold = mark }
    }
}

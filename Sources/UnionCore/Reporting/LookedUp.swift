internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The answer to LOOKUP, to be kept until it was sent: then its watch is set.
///
/// To set a watch takes as long as the look itself, and the client doesn't have to wait for it. So the client
/// gets what the look saw of a file. Then the watch is set, and the file is looked at once more. A change in
/// between that brought no event shows there, and the kernel drops the file's attributes as after an event.
public struct LookedUp: ~Copyable {
    public let entry: Entry
    private let watch: DeferredWatch?
    private let turn: DeferredWatches.Turn
    private let reporting: Reporting

    init(
        _ entry: Entry, _ watch: DeferredWatch?, _ turn: consuming DeferredWatches.Turn,
        _ reporting: Reporting
    ) {
        self.entry = entry
        self.watch = watch
        self.turn = turn
        self.reporting = reporting
    }

    /// Sets the watch, as the answer was sent.
    public consuming func finish() {}

    deinit {
        if let watch { reporting.setDeferredWatch(watch) }
    }
}

extension Reporting {
    func setDeferredWatch(_ watch: DeferredWatch) {
        if isAsReported(watch) { return }
        coherence.invalidations.append(.attributes(watch.node.id))
        // It may not even be the object that stands there.
        if let alias = watch.node.alias { coherence.invalidations.appendName(alias.parent.id, alias.name) }
    }

    /// Watches the file. True: from here on events tell of all that differs from what the kernel was told.
    private func isAsReported(_ deferred: DeferredWatch) -> Bool {
        let node = deferred.node
        guard let object = try? resolver.object(of: node),
            coherence.plan.choices[object.layer.index].mode == .watch
        else { return false }
        // Another thread that looked at it may have been quicker.
        let isWatched =
            node.state.withLock { $0.isCached }
            || mayWatch(node)
                && watch(object.descriptor, for: node, layer: object.layer.index, deferred.endings)
        // A FORGET ends only the watches that the node has at that time.
        if table.find(node.id) == nil { coherence.source?.unwatch(node.id) }
        guard isWatched, let status = try? object.descriptor.status() else { return false }
        return deferred.isAsReported(resolver.attributes(of: node, object, status))
    }
}

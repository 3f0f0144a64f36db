internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What LOOKUP is answered with, to be kept until that was sent: then its watch is set.
///
/// To set a watch takes as long as the look itself, and the client needs no part of it. So it is told what was seen of
/// a file, then the watch is set, and the file looked at once more: what changed in between without an event shows
/// there, and is dropped like after one.
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

    /// The answer was sent.
    public consuming func finish() {}

    deinit {
        if let watch { reporting.setDeferredWatch(watch) }
    }
}

extension Reporting {
    func setDeferredWatch(_ watch: DeferredWatch) {
        if !isAsReported(watch) { coherence.invalidations.append(.attributes(watch.node.id)) }
    }

    /// Watches the file. True: from here on events tell of all that differs from what the kernel was told.
    private func isAsReported(_ late: DeferredWatch) -> Bool {
        let node = late.node
        guard let object = try? resolver.object(of: node),
            coherence.plan.choices[object.layer.index].mode == .watch
        else { return false }
        // Another one who looked at it may have been quicker.
        let isWatched =
            node.state.withLock { $0.isCached }
            || mayWatch(node)
                && watch(object.descriptor, for: node, layer: object.layer.index, late.endings)
        // Who forgets a node ends the watches that it has at that time.
        if table.find(node.id) == nil { coherence.source?.unwatch(node.id) }
        guard isWatched, let status = try? object.descriptor.status() else { return false }
        return resolver.attributes(of: node, object, status).fingerprint == late.reported
            && node.state.withLock { $0.endings == late.endings }
    }
}

internal import LinuxSystem
internal import Synchronization
public import SystemPackage

/// A layer as `status` shows it.
public struct LayerStatus: Sendable {
    public let index: Int
    public let isUpper: Bool
    public let path: String
    public let isReadOnly: Bool
    /// The filesystem's name as mount(8) knows it.
    public let filesystem: String
    public let coherence: CoherenceMode
    /// Why it has that mode.
    public let coherenceReason: String
    /// The error with which the layer fails. nil: it answers.
    public let failure: Errno?
    /// What has become of the layer's path since the mount. nil: it leads to the layer.
    public let rootChange: RootChange?
}

/// What keeping costs, and how it goes.
public struct CoherenceCounters: Sendable {
    public let watches: Int
    /// How many events the kernel sent of changes in the layers.
    public let events: UInt64
    public let overflows: UInt64
    /// How many invalidations were sent to the kernel.
    public let invalidations: UInt64
    /// How many directories have nothing kept, as their watch can't be had.
    public let degradedDirectories: Int
    /// How many watches were given back so that others could be had.
    public let givenBackWatches: UInt64
    /// How many merged listings are kept for clients that read them.
    public let listings: Int
}

/// An open file and the real file behind it.
public struct OpenFileStatus: Sendable {
    /// The path in the union, without a leading slash. nil: the file has no name any more.
    public let path: String?
    public let layer: Int
    public let realPath: String?
    public let handles: Int
    public let io: HandleIO
}

extension Union {
    /// One status for each layer, top to bottom.
    public var layerStatuses: [LayerStatus] {
        stack.layers.map { layer in
            LayerStatus(
                index: layer.index, isUpper: layer.isUpper, path: layer.path, isReadOnly: layer.isReadOnly,
                filesystem: layer.filesystem.type.name, coherence: coherence.plan.choices[layer.index].mode,
                coherenceReason: coherence.plan.choices[layer.index].reason, failure: layer.failure,
                rootChange: layer.rootChange)
        }
    }

    /// The counters as they are now.
    public var coherenceCounters: CoherenceCounters {
        CoherenceCounters(
            watches: coherence.source?.watchCount ?? 0, events: coherence.source?.eventCount ?? 0,
            overflows: coherence.source?.overflowCount ?? 0,
            invalidations: coherence.invalidations.sent.load(ordering: .relaxed),
            degradedDirectories: coherence.degraded.load(ordering: .relaxed),
            givenBackWatches: coherence.givenBack.load(ordering: .relaxed),
            listings: self.listings.store.merged.count)
    }

    /// How many nodes the kernel knows, the root not counted.
    public var nodeCount: Int { table.count }

    /// One status for each node that is open.
    public var openFileStatuses: [OpenFileStatus] {
        var byNode: [NodeID: (handle: FileHandle, count: Int)] = [:]
        for handle in files.all {
            byNode[handle.node.id, default: (handle, 0)].count += 1
        }
        return byNode.values.map { handle, count in
            let layer = stack[handle.layer]
            let real = (try? resolver.path(of: handle.node, in: layer))?.string
            return OpenFileStatus(
                path: pathText(of: handle.node), layer: handle.layer,
                realPath: real.map { join(layer.path, $0) }, handles: count, io: handle.io)
        }
    }
}

extension Union {
    private func pathText(of node: Node) -> String? {
        guard let path = try? resolver.path(of: node) else { return nil }
        return path.string
    }
}

/// A path below a layer's root.
func join(_ root: String, _ path: String) -> String {
    if path.isEmpty { return root }
    return root.hasSuffix("/") ? root + path : root + "/" + path
}

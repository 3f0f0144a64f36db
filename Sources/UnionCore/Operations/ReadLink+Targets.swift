internal import LinuxSystem
internal import SystemPackage

// The kernel keeps the targets of links for all callers, where it may. Those of proc depend on the caller
// that reads them.

extension Union {
    /// Whether the kernel may keep targets: not where a layer is of proc, or has a proc mounted in it.
    public var keepsTargets: Bool {
        guard cachesEntries, !stack.layers.contains(where: { $0.filesystem.type == .proc }) else {
            return false
        }
        guard let mounts = try? MountInfo.all() else { return false }
        let places = mounts.filter { $0.fileSystemType == "proc" }.map(\.mountPoint)
        return !stack.layers.contains { layer in
            let prefix = layer.root.descriptor.pathPrefix
            return places.contains { $0.starts(with: prefix) }
        }
    }

    /// Has the kernel drop the link's target, which it is about to keep. For a proc that was mounted in a
    /// layer later.
    func dropTarget(of node: Node) {
        if coherence.plan.isLasting { coherence.invalidations.append(.listing(node.id)) }
    }
}

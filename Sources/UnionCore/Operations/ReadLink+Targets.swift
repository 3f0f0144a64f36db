internal import LinuxSystem
internal import SystemPackage

// The kernel keeps the targets of links for everybody, where it may. Those of proc depend on who reads them.

extension Union {
    /// Whether it may: not where a layer is of proc, or has one mounted in it.
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

    /// One that was mounted there later: what the kernel is about to keep of the link goes again.
    func dropTarget(of node: Node) {
        if coherence.plan.isLasting { coherence.invalidations.append(.listing(node.id)) }
    }
}

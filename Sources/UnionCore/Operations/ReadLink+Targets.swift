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
            let prefix = layer.root.descriptor.prefixOfPaths
            return places.contains { $0.starts(with: prefix) }
        }
    }

    /// One that was mounted there later: what the kernel is about to keep of the link goes again.
    func dropTarget(of node: Node) {
        if coherence.plan.isLasting { coherence.invalidations.append(.listing(node.id)) }
    }
}

extension FileDescriptor {
    /// Where the directory is in this process's namespace now, with a slash at the end.
    fileprivate var prefixOfPaths: [UInt8] {
        let link = OwnedName("/proc/self/fd/\(rawValue)")
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe (try? FileDescriptor.workingDirectory.readLink(at: link.ref, into: buffer)) ?? 0
        }
        let path = Array(buffer[..<count])
        return path.last == UInt8(ascii: "/") ? path : path + [UInt8(ascii: "/")]
    }
}

internal import LinuxSystem
public import SystemPackage

extension Union {
    /// Marks a directory, given by its path from the union's root, as holding every entry itself. Or takes
    /// that back, whatever marked it, overlayfs's opaque mark too.
    ///
    /// The mark goes to the layer that owns the directory: a skeleton above it is bookkeeping, and must make
    /// no difference. ENOTDIR: it is no directory. EROFS: the layer is read-only. ENOTSUP: the layer takes no
    /// extended attributes. EINVAL: it is the union's root, which all layers make up.
    public func setComplete(_ isComplete: Bool, path: [UInt8]) throws(Errno) {
        let (id, visited) = try walk(path)
        defer { for node in visited { reporting.forget(node, count: 1) } }
        let node = try resolver.node(id)
        if node.isRoot { throw .invalidArgument }
        let view = try resolver.view(of: node)
        guard let owner = try resolver.lookup(of: view).owner,
            let directory = view.directory(in: owner.layer.index)
        else { throw .noSuchFileOrDirectory }
        try layers.checkWritable(owner.layer)
        if isComplete {
            try layers.setMark(.complete, "y", on: "", in: directory)
        } else {
            try layers.removeMark(.complete, from: "", in: directory)
            try removeOpaqueMark(of: directory)
        }
        try reporting.settleMakeup(of: node, isLess: isComplete)
    }

    private func removeOpaqueMark(of directory: FileDescriptor) throws(Errno) {
        guard directory.marks(at: "").contains(.complete) else { return }
        for attribute in [MarkName.opaque, MarkName.userOpaque] {
            do {
                try directory.removeXattr(attribute)
            } catch .noData, .notSupported {
                // Then it is the other attribute.
            }
        }
    }
}

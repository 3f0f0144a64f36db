internal import LinuxSystem
public import SystemPackage

extension Union {
    /// Marks a directory, given by its path from the union's root, as holding every entry itself, or takes
    /// that back; whatever marked it, overlayfs's opaque mark too.
    ///
    /// The mark goes to the layer that owns the directory: a skeleton above is bookkeeping, and there or not
    /// must make no difference. ENOTDIR: no directory. EROFS: the layer is read-only. ENOTSUP: it takes no
    /// extended attributes. EINVAL: the union's root, which all layers make up.
    public func setComplete(_ isComplete: Bool, path: [UInt8]) throws(Errno) {
        let (id, visited) = try walk(path)
        defer { for node in visited { forget(node, count: 1) } }
        let node = try node(id)
        if node.isRoot { throw .invalidArgument }
        let view = try view(of: node)
        guard let owner = try survey(of: view).owner, let directory = view.directory(in: owner.layer.index)
        else { throw .noSuchFileOrDirectory }
        try checkWritable(owner.layer)
        if isComplete {
            try set(.complete, "y", on: "", in: directory)
        } else {
            try remove(.complete, from: "", in: directory)
            try removeOpaqueMark(of: directory)
        }
        try settleMakeup(of: node, isLess: isComplete)
    }

    /// What is marked on the directory has changed, and by that what it is made of. `isLess`: what isn't part of it any
    /// more is out of reach at once. More of it must be watched first.
    private func settleMakeup(of node: Node, isLess: Bool) throws(Errno) {
        let isLasting = coherence.plan.isLasting
        if isLess || !isLasting { try takeMakeup(of: node) }
        // What the kernel has of the names in it is put right, and of those below.
        if isLasting { coherence.invalidator.append(isLess ? .names(node.id) : .object(node.id)) }
    }

    /// Looks at what the directory is made of at its place.
    func takeMakeup(of node: Node) throws(Errno) {
        guard let place = node.place else { return }
        let view = try view(of: place.parent)
        let survey = try survey(view, place.name, in: place.parent)
        guard let owner = survey.owner, node.continues(as: Makeup(of: survey)) else { return }
        let filesystem = try filesystem(of: owner, place.name, view)
        take(Makeup(of: survey), directoryOwner(owner, filesystem), of: node, begun: survey.begun)
    }

    /// Orphans show or don't show any more: all that the kernel knows is looked at again.
    func lookAtEverything() {
        if coherence.plan.isLasting { coherence.invalidator.append(.everything) }
    }

    private func removeOpaqueMark(of directory: FileDescriptor) throws(Errno) {
        guard directory.marks(at: "").contains(.complete) else { return }
        for attribute in [MarkName.opaque, MarkName.userOpaque] {
            do {
                try directory.removeXattr(attribute)
            } catch .noData, .notSupported {
                // The other one it is.
            }
        }
    }
}

internal import LinuxSystem
internal import SystemPackage

/// A control file, open for a caller.
struct OpenedControlFile: ~Copyable {
    let file: OwnedDescriptor
    let layer: Layer
    let acting: ActingFile
}

extension Agents {
    /// Opens a control file of a cgroup by its path, in one call, which also tells whether the caller may
    /// search the directories on the way. On the layer's own mount nothing stands by a path but a control
    /// file, so to open the wrong one does nothing.
    ///
    /// nil: it must be found and opened as any other file. It isn't one of a layer that is a cgroup itself, or
    /// isn't where it was, or the caller is in another namespace that counts.
    func openControlFile(
        _ node: Node, _ flags: OpenFlags, _ caller: CallerIdentity
    ) throws(Errno) -> OpenedControlFile? {
        guard node.filesystem.isControlGroups, !flags.contains(.execute), let alias = node.alias else {
            return nil
        }
        let layer = layers.stack[alias.layer]
        guard layer.filesystem === node.filesystem, let path = try? resolver.path(of: node, in: layer) else {
            return nil
        }
        if flags.writes { try layers.checkWritable(layer) }
        let acting = acting(path.ref, on: node.filesystem, in: layer)
        guard case .here = try route(of: acting, acting.opening(flags), caller) else { return nil }
        do throws(Errno) {
            // To read needs nothing of the caller's but the right to. That of root the kernel has judged.
            let file = try caller.perform(exact: flags.writes || caller.uid != 0) { () throws(Errno) in
                try layer.root.descriptor.openOnMount(path.ref, flags: flags.ofRealFile)
            }
            guard node.identity.matches(try file.descriptor.status()) else { return nil }
            return OpenedControlFile(file: file, layer: layer, acting: acting)
        } catch .noSuchFileOrDirectory, .improperLink, .fileNameTooLong, .notDirectory,
            .tooManySymbolicLinkLevels
        {
            return nil
        }
    }
}

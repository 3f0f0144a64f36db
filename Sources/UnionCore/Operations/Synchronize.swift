internal import LinuxSystem
public import SystemPackage

extension Union {
    /// fsync(2) of an open file; with `dataOnly`, fdatasync(2). EBADF: there is no such handle.
    public func synchronize(_ handle: HandleID, dataOnly: Bool) throws(Errno) {
        let file = try file(handle)
        try file.descriptor.synchronize(dataOnly: dataOnly)
    }

    /// fsync(2) of each real directory in a writable layer. EINVAL: it is a pseudo filesystem's.
    public func synchronizeDirectory(_ id: NodeID, dataOnly: Bool) throws(Errno) {
        let node = try resolver.node(id)
        guard let view = try? resolver.view(of: node) else {
            // A removed directory has nothing that can be lost.
            return try checkSynchronizes(node.filesystem)
        }
        let isPseudo = view.count == 1 && !view.backings[0].isRoot && node.filesystem.isPseudo
        for backing in view.backings where !backing.layer.isReadOnly {
            let real = try backing.directory.openBeneath("", flags: [.readOnly, .directory])
            do {
                try real.descriptor.synchronize(dataOnly: dataOnly)
            } catch .invalidArgument where !isPseudo {
                // This is a pseudo filesystem's part: it has nothing that can be lost.
            }
        }
    }

    /// Throws EINVAL on a pseudo filesystem: these have no fsync(2) of directories.
    private func checkSynchronizes(_ filesystem: FilesystemFacts) throws(Errno) {
        if filesystem.isPseudo { throw .invalidArgument }
    }
}

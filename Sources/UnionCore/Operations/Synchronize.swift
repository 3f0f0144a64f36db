internal import LinuxSystem
public import SystemPackage

extension Union {
    public func synchronize(_ handle: HandleID, dataOnly: Bool) throws(Errno) {
        try file(handle).descriptor.synchronize(dataOnly: dataOnly)
    }

    /// fsync(2) of the directory: of each real one in a writable layer.
    public func synchronizeDirectory(_ id: NodeID, dataOnly: Bool) throws(Errno) {
        let node = try resolver.node(id)
        guard let view = try? resolver.view(of: node) else {
            // Nothing of a removed directory can be lost.
            return try checkSynchronizes(node.filesystem)
        }
        let isPseudo = view.count == 1 && !view.backings[0].isRoot && node.filesystem.isPseudo
        for backing in view.backings where !backing.layer.isReadOnly {
            let real = try backing.directory.openBeneath("", flags: [.readOnly, .directory])
            do {
                try real.descriptor.synchronize(dataOnly: dataOnly)
            } catch .invalidArgument where !isPseudo {
                // A pseudo filesystem's part: there is nothing that could be lost.
            }
        }
    }

    /// EINVAL: pseudo filesystems have no fsync(2) of directories.
    private func checkSynchronizes(_ filesystem: FilesystemFacts) throws(Errno) {
        if filesystem.isPseudo { throw .invalidArgument }
    }
}

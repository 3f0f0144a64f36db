internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

extension Resolver {
    /// What stat(2) tells of the node. `handle`: an open file of it, where the caller named one.
    func attributes(of node: Node, _ handle: FileHandle? = nil) throws(Errno) -> Attributes {
        if node.isDirectory { return try directoryAttributes(of: node).attributes }
        if let open = handle ?? node.state.withLock({ $0.openFiles })?.anyHandle {
            var result = attributes(try open.object.status(), node.filesystem)
            if open.isMetacopy { result.blocks = try open.descriptor.status().blocks }
            return result
        }
        let object = try object(of: node)
        return attributes(of: node, object, object.status)
    }

    /// The same of a directory. `backings`: what it was made of when it was looked at (`Makeup.backings`).
    func directoryAttributes(of node: Node) throws(Errno) -> (attributes: Attributes, backings: UInt64) {
        do throws(Errno) {
            let view = try view(of: node)
            let lookup = try lookup(of: view)
            guard let owner = lookup.owner else { throw .noSuchFileOrDirectory }
            let attributes = attributes(of: lookup, owner, try filesystem(of: owner, "", view), at: "", view)
            node.state.withLock { $0.lastReported = attributes }
            return (attributes, lookup.backings)
        } catch .noSuchFileOrDirectory {
            return (try removedAttributes(of: node), 0)
        }
    }

    /// Attributes of a real object that alone is the union object.
    func attributes(_ status: FileStatus, _ filesystem: FilesystemFacts) -> Attributes {
        Attributes(
            inode: layers.numbering.number(of: status.inode, filesystem: filesystem.index), mode: status.mode,
            linkCount: status.linkCount, uid: status.uid, gid: status.gid,
            specialDevice: status.specialDevice, size: status.size, blocks: status.blocks,
            blockSize: status.blockSize, accessTime: status.accessed, modificationTime: status.modified,
            changeTime: status.changed)
    }

    /// The owner's attributes; for a directory that several layers back, with the newest times. `name`: a
    /// name in the directory that the view is of, or empty for that directory itself.
    func attributes(
        of lookup: NameLookup, _ owner: LayerEntry, _ filesystem: FilesystemFacts, at name: PathRef,
        _ view: borrowing DirectoryView
    ) -> Attributes {
        var result = attributes(owner.status, filesystem)
        guard lookup.isMerged else { return result }
        for other in lookup.visible where other.layer !== owner.layer {
            result.modificationTime = max(result.modificationTime, other.status.modified)
            if other.marks.contains(.skeleton) {
                // The skeleton's own ctime and atime are bookkeeping. Its mtime moves only by entries that
                // users make.
                result.changeTime = max(result.changeTime, other.status.modified)
                if result.linkCount > 1 && other.status.linkCount != 2 {
                    result.linkCount &+= extraSubdirectories(other.layer, owner.layer, name, view)
                }
            } else {
                result.changeTime = max(result.changeTime, other.status.changed)
                result.accessTime = max(result.accessTime, other.status.accessed)
                result.linkCount = 1
            }
        }
        return result
    }

    private func extraSubdirectories(
        _ upper: Layer, _ owner: Layer, _ name: PathRef, _ view: borrowing DirectoryView
    ) -> UInt32 {
        let flags: OpenFlags = [.path, .directory, .noFollow]
        guard let upperParent = view.directory(in: upper.index),
            let ownerParent = view.directory(in: owner.index),
            let skeleton = try? upperParent.openBeneath(name, flags: flags),
            let origin = try? ownerParent.openBeneath(name, flags: flags)
        else { return 0 }
        return layers.extraSubdirectories(of: skeleton.descriptor, beyond: origin.descriptor)
    }
}

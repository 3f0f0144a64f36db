internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// The real object of a node, found by its names or by what is left of it.
extension Resolver {
    /// Opens a node's real object, O_PATH, by any of its names, an open file or what was kept of it. ESTALE,
    /// upon which the kernel walks the path again: the object isn't where it was.
    func object(of node: Node) throws(Errno) -> LocatedObject {
        if node.isDirectory { return try directoryObject(of: node) }
        if let open = try openObject(of: node) { return open }
        do {
            return try withStableAliases { () throws(Errno) -> LocatedObject in
                try namedObject(of: node)
            }
        } catch .staleNFSFileHandle {
            return try namelessObject(of: node)
        }
    }

    /// The real file that a client has open. nil: none has, or it may be in another layer by now, or the filesystem
    /// minds the way to it.
    private func openObject(of node: Node) throws(Errno) -> LocatedObject? {
        guard !node.filesystem.isPseudo, let handle = node.state.withLock({ $0.openFiles })?.anyHandle,
            node.alias?.layer == handle.layer
        else { return nil }
        return LocatedObject(layer: stack[handle.layer], by: handle, status: try handle.object.status())
    }

    private func namedObject(of node: Node) throws(Errno) -> LocatedObject {
        if let alias = node.alias, let found = try objectIfThere(node, at: alias) { return found }
        // It may have lost that name since, and another alias may be its first by now: try all.
        for alias in node.aliases {
            guard let found = try objectIfThere(node, at: alias) else { continue }
            node.prefer(alias)
            return found
        }
        throw .staleNFSFileHandle
    }

    func isThere(_ node: Node, at alias: NodeAlias) -> Bool {
        guard let found = try? objectIfThere(node, at: alias) else { return false }
        _ = consume found
        return true
    }

    private func objectIfThere(_ node: Node, at alias: NodeAlias) throws(Errno) -> LocatedObject? {
        do {
            return try object(of: node, at: alias)
        } catch .noSuchFileOrDirectory, .staleNFSFileHandle, .notDirectory, .tooManySymbolicLinkLevels {
            return nil
        }
    }

    /// Opens what was unlinked. It lives on as long as a client has it open or the kernel refers to it.
    private func namelessObject(of node: Node) throws(Errno) -> LocatedObject {
        if let handle = node.state.withLock({ $0.openFiles })?.anyHandle {
            return try LocatedObject(layer: stack[handle.layer], open: handle.object.duplicated())
        }
        return try openUnlinkedObject(of: node)
    }

    func openUnlinkedObject(of node: Node) throws(Errno) -> LocatedObject {
        // Another thread may close the unlinked object, so this one copies its descriptor with the lock held.
        let copy: OwnedDescriptor? = node.state.withLock { state in
            guard let unlinkedObject = state.unlinkedObject else { return nil }
            return try? unlinkedObject.duplicated()
        }
        if let copy { return try LocatedObject(layer: stack[0], open: copy) }
        if !node.isDirectory, let found = try heldObject(of: node) { return found }
        held.begin()
        throw .staleNFSFileHandle
    }

    private func object(of node: Node, at alias: NodeAlias) throws(Errno) -> LocatedObject {
        var path = PathBuffer()
        path.prepend(alias.name)
        try prependPath(of: alias.parent, in: alias.layer, to: &path)
        let object = try stack[alias.layer].openObject(at: path.ref)
        let status = try object.descriptor.status()
        guard node.identity.matches(status) else { throw .staleNFSFileHandle }
        return LocatedObject(layer: stack[alias.layer], object: object, status: status)
    }

    /// Opens the owner's directory; of a directory that a client has removed, what is left of it.
    private func directoryObject(of node: Node) throws(Errno) -> LocatedObject {
        do throws(Errno) {
            let view = try view(of: node)
            guard let owner = try lookup(of: view).owner,
                let directory = view.directory(in: owner.layer.index)
            else { throw .noSuchFileOrDirectory }
            return LocatedObject(
                layer: owner.layer, object: try directory.duplicated(), status: owner.status)
        } catch .noSuchFileOrDirectory {
            return try openUnlinkedObject(of: node)
        }
    }
}

/// A real object, open (O_PATH, or as a client has it open), and the layer that it is in.
struct LocatedObject: ~Copyable {
    let layer: Layer
    let descriptor: FileDescriptor
    /// The status when the object was found.
    let status: FileStatus
    /// nil: the handle has the descriptor.
    private let object: OwnedDescriptor?
    private let handle: FileHandle?

    init(layer: Layer, object: consuming OwnedDescriptor, status: FileStatus) {
        self.layer = layer
        self.status = status
        descriptor = object.descriptor
        self.object = consume object
        handle = nil
    }

    init(layer: Layer, open object: consuming OwnedDescriptor) throws(Errno) {
        let status = try object.descriptor.status()
        self.init(layer: layer, object: consume object, status: status)
    }

    init(layer: Layer, by handle: FileHandle, status: FileStatus) {
        self.layer = layer
        self.status = status
        descriptor = handle.object
        object = nil
        self.handle = handle
    }

    /// The descriptor, for the calling code to keep.
    consuming func intoObject() throws(Errno) -> OwnedDescriptor {
        if let object = object { return object }
        return try descriptor.duplicated()
    }
}

extension Resolver {
    /// Whether the directory is found where it was seen last.
    func stands(_ node: Node) -> Bool { (try? walkedView(of: node)) != nil }

    func identity(of layerEntry: LayerEntry) -> ObjectIdentity {
        let filesystem = stack.filesystems.find(layerEntry.status.device)
        return ObjectIdentity(layerEntry.status, on: filesystem)
    }

    func directoryOwner(_ layerEntry: LayerEntry, _ filesystem: FilesystemFacts) -> DirectoryOwner {
        DirectoryOwner(
            identity: identity(of: layerEntry), filesystem: filesystem,
            part: Makeup.part(layerEntry.status, in: layerEntry.layer))
    }

    /// The filesystem that a layer entry lives on: its directory's, or one mounted there.
    func filesystem(
        of layerEntry: LayerEntry, _ name: PathRef, _ view: borrowing DirectoryView
    ) throws(Errno) -> FilesystemFacts {
        if let facts = stack.filesystems.find(layerEntry.status.device) { return facts }
        guard let directory = view.directory(in: layerEntry.layer.index) else { throw .noSuchFileOrDirectory }
        let object = try directory.openBeneath(name, flags: [.path, .noFollow])
        return stack.filesystems.facts(of: layerEntry.status.device, asking: object.descriptor)
    }

    func isOnPseudo(_ layerEntry: LayerEntry) -> Bool {
        stack.filesystems.find(layerEntry.status.device)?.isPseudo ?? layerEntry.layer.filesystem.isPseudo
    }
}

internal import LinuxSystem
internal import SystemPackage

// Everything that is opened or changed in a layer is opened or changed as the caller.

extension Union {
    /// Runs a layer call with the caller's credentials, in one place for all operations.
    ///
    /// Groups and capabilities are dear to learn. On ordinary filesystems the kernel has already judged the
    /// request with the caller's true ones, so the call is first made without them, and again with them where
    /// it is refused. `exact` takes them from the start: where it acts by who makes it (files of pseudo
    /// filesystems), and where it would succeed without them but do less (sgid).
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, exact: Bool = false, _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        guard !exact else { return try CredentialScope.run(as: caller, .exact, call) }
        do {
            return try CredentialScope.run(as: caller, .judged, call)
        } catch {
            // Of root everything was taken that there is. The last two: room kept for a group or a capability.
            guard caller.uid != 0,
                [.permissionDenied, .notPermitted, .noSpace, .diskQuotaExceeded].contains(error)
            else { throw error }
            return try CredentialScope.run(as: caller, .exact, call)
        }
    }

    /// The same on a node's real object in `layer`, which for a file of a pseudo filesystem the caller must be
    /// able to reach there, too: proc hides directories by who asks, and tells the union nothing of it.
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, on node: Node, in layer: Layer, exact: Bool = false,
        _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        guard node.filesystem.isPseudo else { return try asCaller(caller, exact: exact, call) }
        return try asCaller(caller, exact: true) { () throws(Errno) in
            try checkReach(of: node, in: layer)
            return try call()
        }
    }

    private func checkReach(of node: Node, in layer: Layer) throws(Errno) {
        guard let found = try reach(node, in: layer) else { return }
        let status = try found.descriptor.status()
        guard node.identity.matches(status) else { throw .staleNFSFileHandle }
    }

    /// The same of one of the real directories that back a node. ENOENT: another one stands there by now.
    func checkReach(of node: Node, in backing: DirectoryView.Backing) throws(Errno) {
        guard let found = try reach(node, in: backing.layer) else { return }
        let status = try backing.directory.status()
        guard ObjectIdentity(status, on: nil).matches(try found.descriptor.status()) else {
            throw .noSuchFileOrDirectory
        }
    }

    /// Walks to the node's path in `layer`, with the thread's credentials. nil: a layer's root, which everybody
    /// may reach, or what has no name any more.
    func reach(_ node: Node, in layer: Layer) throws(Errno) -> OwnedDescriptor? {
        guard !node.isRoot, let path = try? path(of: node, in: layer) else { return nil }
        return try layer.openObject(at: path.ref)
    }

    /// The same in a real directory.
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, in directory: FileDescriptor, exact: Bool = false,
        _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        try asCaller(caller, exact: exact || isPseudo(directory), call)
    }

    private func isPseudo(_ directory: FileDescriptor) -> Bool {
        guard let status = try? directory.status() else { return true }
        return stack.filesystems.facts(of: status.device, asking: directory).isPseudo
    }

    /// Where the union or the layer is read-only nothing is tried.
    func checkWritable(_ layer: Layer) throws(Errno) {
        if policies.readOnly || layer.isReadOnly { throw .readOnlyFileSystem }
    }

    func checkWritable() throws(Errno) {
        if policies.readOnly { throw .readOnlyFileSystem }
    }
}

internal import LinuxSystem
internal import SystemPackage

/// Where a call on a file of a pseudo filesystem is made, so that the kernel takes it for the caller's.
enum CallRoute {
    /// In the thread that serves, with the caller's credentials.
    case here
    case elsewhere(Agent)
}

extension Agents {
    /// Where to make a call for the caller. `namespaces`: those that count. `always`: those that are entered
    /// even if they may be the server's. EACCES: the caller isn't known. EPERM: the server may not enter
    /// other processes' namespaces.
    func route(
        of acting: ActingFile, _ namespaces: Namespaces, always: Namespaces = [], _ caller: CallerIdentity
    ) throws(Errno) -> CallRoute {
        guard let found = Namespaces.foreign(to: caller, namespaces) else {
            if acting.isServers || acting.needsKnownCaller || !always.isEmpty { throw .permissionDenied }
            return .here
        }
        let foreign = found.union(always)
        if foreign.isEmpty && !acting.isServers { return .here }
        if !Agent.areAvailable {
            if acting.isServers && caller.uid != ServerIdentity.uid { throw .permissionDenied }
            if acting.needsKnownCaller && !foreign.isEmpty || !always.isEmpty { throw .notPermitted }
            return .here
        }
        return .elsewhere(Agent(for: caller, entering: foreign))
    }

    /// What must be known of a node's file in `layer`.
    func acting(_ node: Node, in layer: Layer) -> ActingFile {
        guard let path = try? resolver.path(of: node, in: layer) else {
            // It has no name any more: nothing about it is sure.
            let type = node.filesystem.type
            return ActingFile(type, path: nil, isServers: type == .proc)
        }
        return acting(path.ref, on: node.filesystem, in: layer)
    }

    func acting(_ path: PathRef, on filesystem: FilesystemFacts, in layer: Layer) -> ActingFile {
        let type = filesystem.type
        guard type == .proc else { return ActingFile(type, path: path, isServers: false) }
        return withProcRoot(above: path, of: filesystem, in: layer) { root, rest in
            guard let root else { return ActingFile(type, path: nil, isServers: true) }
            return ActingFile(type, path: rest, isServers: root.showsServer(at: rest))
        }
    }

    /// Checks that the file is what its name says. EPERM: it isn't sure. A file of a group that is mounted
    /// alone, under whatever name, may be a list of processes.
    func checkName(
        of node: Node, _ status: FileStatus, in layer: Layer, _ acting: ActingFile
    ) throws(Errno) {
        guard acting.isKnownByName, let path = try? resolver.path(of: node, in: layer) else { return }
        let parent = OwnedName(copying: path.ref, count: path.ref.lastIndex(of: 0x2f) ?? 0)
        let directory = try layer.openObject(at: parent.ref)
        guard try directory.descriptor.status().mountID == status.mountID else { throw .notPermitted }
    }

    /// Opens the real file where the caller is. nil: the serving thread must open it.
    func openElsewhere(
        _ node: Node, in layer: Layer, _ acting: ActingFile, flags: OpenFlags, _ caller: CallerIdentity
    ) throws(Errno) -> OwnedDescriptor? {
        guard case .elsewhere(let agent) = try route(of: acting, acting.opening(flags), caller) else {
            return nil
        }
        let path = try resolver.path(of: node, in: layer)
        let file = try agent.open(path.ref, beneath: layer.root.descriptor, flags: flags)
        let status = try file.descriptor.status()
        let isIt =
            acting.hasFilesOfItsOwn
            ? status.device == node.identity.device && FileKind(mode: status.mode) == node.kind
            : node.identity.matches(status)
        guard isIt else { throw .staleNFSFileHandle }
        return file
    }

    /// Fails if the path is one of the server's entries in proc and the caller can't see it.
    func lookElsewhere(_ path: PathRef, in layer: Layer, _ caller: CallerIdentity) throws(Errno) {
        guard Agent.areAvailable || caller.uid != ServerIdentity.uid else { return }
        try agentForServers(caller).look(at: path, beneath: layer.root.descriptor)
    }

    /// The agent for calls on the server's entries. EACCES: a server that isn't root can't ask as another
    /// user.
    func agentForServers(_ caller: CallerIdentity) throws(Errno) -> Agent {
        guard Agent.areAvailable else { throw .permissionDenied }
        return Agent(for: caller, entering: [])
    }
}

extension ActingFile {
    /// Whether only its name tells what writing it does.
    fileprivate var isKnownByName: Bool { type.isControlGroups || type == .resourceControl }

    /// Whether what it shows, or what it acts on, depends on where the caller is.
    fileprivate var needsKnownCaller: Bool {
        if case .processList = role { return true }
        return showsNamespaces
    }
}

internal import LinuxSystem
internal import SystemPackage

/// Where a call on a file of a pseudo filesystem is made, so that the kernel takes the caller for who asks.
enum CallRoute {
    /// By the thread that serves, with the caller's credentials.
    case here
    case elsewhere(Agent)
}

extension Agents {
    /// `namespaces` are those that count; `always` are entered though they may be the server's. EACCES: it isn't known
    /// who asks. EPERM: the server may enter nobody's namespaces.
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

    /// What is to be known of a node's file in `layer`.
    func acting(_ node: Node, in layer: Layer) -> ActingFile {
        guard let path = try? resolver.path(of: node, in: layer) else {
            // It has no name any more: nothing of it is sure.
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

    /// EPERM: a file of a group that is mounted alone, under whatever name, may be a list of processes.
    func checkName(
        of node: Node, _ status: FileStatus, in layer: Layer, _ acting: ActingFile
    ) throws(Errno) {
        guard acting.isKnownByName, let path = try? resolver.path(of: node, in: layer) else { return }
        let parent = OwnedName(copying: path.ref, count: path.ref.lastIndex(of: 0x2f) ?? 0)
        let directory = try layer.openObject(at: parent.ref)
        guard try directory.descriptor.status().mountID == status.mountID else { throw .notPermitted }
    }

    /// Opens the real file where the caller is; nil: the serving thread is to do it.
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

    /// Fails where the caller can't see what is one of the server's entries in proc.
    func lookElsewhere(_ path: PathRef, in layer: Layer, _ caller: CallerIdentity) throws(Errno) {
        guard Agent.areAvailable || caller.uid != ServerIdentity.uid else { return }
        try agentForServers(caller).look(at: path, beneath: layer.root.descriptor)
    }

    /// EACCES: a server that isn't root can't ask as somebody else.
    func agentForServers(_ caller: CallerIdentity) throws(Errno) -> Agent {
        guard Agent.areAvailable else { throw .permissionDenied }
        return Agent(for: caller, entering: [])
    }
}

extension ActingFile {
    /// What writing it does is known by its name alone.
    fileprivate var isKnownByName: Bool { type == .cgroup || type == .cgroup2 || type == .resourceControl }

    /// What it shows, or what it acts on, depends on where the caller is.
    fileprivate var needsKnownCaller: Bool {
        if case .processList = role { return true }
        return showsNamespaces
    }
}

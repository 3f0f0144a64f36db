public import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// Opens the owner's real file as the caller, with the caller's own flags. The errors are those of the
    /// real open(2). ESTALE: the file isn't where it was; the kernel walks the path again.
    public func open(
        _ id: NodeID, flags: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> OpenedFile {
        let node = try resolver.node(id)
        let flags = OpenFlags(rawValue: flags)
        if let control = try agents.openControlFile(node, flags, caller) {
            let (layer, acting) = (control.layer, control.acting)
            return try opened(node, layer, control.file, flags, acting)
        }
        let target = try resolver.object(of: node)
        if flags.writes || flags.contains(.truncate) { try layers.checkWritable(target.layer) }
        if let data = try resolver.dataElsewhere(of: node, target) {
            return try open(data, of: node, target, flags, caller)
        }
        let acting = node.filesystem.isPseudo ? agents.acting(node, in: target.layer) : nil
        if flags.writes, let acting {
            try agents.checkName(of: node, target.status, in: target.layer, acting)
        }
        let file = try openReal(target, node, acting, flags, caller)
        let opened = try opened(node, target.layer, file, flags, acting)
        // A writer asks for the file's size, and programs beside the union may write, too.
        if flags.writes && !node.filesystem.isControlGroups { reporting.dropAttributes(of: node) }
        return opened
    }

    /// Opens a metacopy as the caller, by the metacopy's own mode. The server opens the data as itself, as
    /// overlayfs does.
    private func open(
        _ data: RedirectedData, of node: Node, _ target: consuming LocatedObject, _ flags: OpenFlags,
        _ caller: CallerIdentity
    ) throws(Errno) -> OpenedFile {
        if flags.writes || flags.contains(.truncate) { throw .readOnlyFileSystem }
        _ = try openReal(target, node, nil, flags, caller)
        let real = flags.subtracting([.create, .exclusive, .noFollow, .kernelOnly])
        let file = try resolver.openData(data, flags: real)
        let layer = target.layer
        return try opened(node, layer, file, flags, metacopy: try target.intoObject())
    }

    private func openReal(
        _ target: borrowing LocatedObject, _ node: Node, _ acting: ActingFile?, _ flags: OpenFlags,
        _ caller: CallerIdentity
    ) throws(Errno) -> OwnedDescriptor {
        let object = target.descriptor
        if flags.contains(.execute) {
            // Running a program needs no right to read it. The caller has the right to execute, and the
            // kernel does the reading.
            try resolver.asCaller(caller, on: node, in: target.layer) { () throws(Errno) in
                try object.checkAccess(.execute)
            }
            return try object.reopen(flags: .readOnly)
        }
        let real = flags.ofRealFile
        if let acting,
            let file = try agents.openElsewhere(node, in: target.layer, acting, flags: real, caller)
        {
            return file
        }
        // Truncating leaves suid and sgid if the caller has CAP_FSETID, and sgid if the caller is in the
        // file's group.
        let mindsRights = flags.contains(.truncate) && target.status.isPrivileged
        return try resolver.asCaller(caller, on: node, in: target.layer, exact: mindsRights) {
            () throws(Errno) -> OwnedDescriptor in
            try object.reopen(flags: real)
        }
    }

    /// Registers an open real file, and says how its data moves.
    func opened(
        _ node: Node, _ layer: Layer, _ file: consuming OwnedDescriptor, _ flags: OpenFlags,
        _ acting: ActingFile? = nil, metacopy: consuming OwnedDescriptor? = nil
    ) throws(Errno) -> OpenedFile {
        let openFiles = openFiles(of: node)
        let mayPass = node.kind == .regular && !node.filesystem.isPseudo
        let isControl = node.filesystem.isControlGroups
        let io = openFiles.open(
            file.descriptor, flags, policies.accessTimes, backing: mayPass ? backing : nil,
            otherwise: mayPass ? requests(for: node, file.descriptor, in: layer) : .direct)
        if mayPass, io.isServed { file.descriptor.prepareToServe(flags, io) }
        let keepsAccessTime = policies.accessTimes == .never && io.isServed
        if keepsAccessTime { layers.keepAccessTime(file.descriptor) }
        let isStream = !mayPass && !isControl && isStream(file.descriptor)
        let isFlushed = node.filesystem.needsFlush || mindsCloses(of: openFiles, flags)
        let handle = FileHandle(
            node: node, layer: layer.index, file: file, flags: flags, io: io, isStream: isStream,
            acting: acting, metacopy: metacopy, isFlushed: isFlushed,
            keepsAccessTime: keepsAccessTime)
        openFiles.add(handle)
        if flags.writes { reporting.endCaching(of: node) }
        return OpenedFile(
            handle: files.insert(handle), io: io, isStream: isStream,
            needsNoFlush: !isFlushed)
    }

    /// Whether locks need to hear of each close. Most files by far are opened for reading and never locked.
    /// They do without that request if no client has locked them before; their locks then go with the open
    /// file.
    private func mindsCloses(of openFiles: OpenFiles, _ flags: OpenFlags) -> Bool {
        needsLocks && (flags.writes || openFiles.mayBeLocked)
    }

    /// How the data of an ordinary file moves when the kernel doesn't pass it through. A page cache besides
    /// the layer's own holds only what no program changes, or what a watch tells of. So only such files can
    /// be mapped shared.
    private func requests(for node: Node, _ file: FileDescriptor, in layer: Layer) -> HandleIO {
        let plan = coherence.plan
        guard plan.suits(layer, node.filesystem) else { return .direct }
        return switch plan.choices[layer.index].mode {
        case .static: .cached(keepsPages: true)
        case .watch:
            layer.isReadOnly && reporting.watchPages(of: node, file, in: layer)
                ? .cached(keepsPages: false) : .direct
        case .check, .ttl: .direct
        }
    }

    private func openFiles(of node: Node) -> OpenFiles {
        node.state.withLock { state in
            if let openFiles = state.openFiles { return openFiles }
            let openFiles = OpenFiles()
            state.openFiles = openFiles
            return openFiles
        }
    }

    private func isStream(_ file: FileDescriptor) -> Bool {
        do {
            _ = try file.seek(to: 0, whence: .current)
            return false
        } catch {
            return error == .illegalSeek
        }
    }

    /// The client's last reference to the open file has gone.
    public func release(_ handle: HandleID) {
        guard let file = files.remove(handle) else { return }
        ledger.release(handle, node: file.node.id)
        file.freeFlock()
        let openFiles = file.node.state.withLock { $0.openFiles }
        openFiles?.close(file, backing: backing)
    }

    func file(_ handle: HandleID) throws(Errno) -> FileHandle {
        guard let file = files.find(handle) else { throw .badFileDescriptor }
        return file
    }
}

extension FileDescriptor {
    /// Sets the flags that the real file is served with. It does without flags that the client may take back
    /// by fcntl(2); requests bring these (`FollowedFlags`).
    fileprivate func prepareToServe(_ flags: OpenFlags, _ io: HandleIO) {
        var without: OpenFlags = .append
        if case .mapped = io {} else { without.insert(.direct) }
        guard !flags.isDisjoint(with: without) else { return }
        // EPERM: the file takes nothing but appends (`chattr +a`).
        do throws(Errno) {
            try setFlags(flags.subtracting(without))
        } catch {
            try? setFlags(flags.subtracting(.direct))
        }
    }
}

public import LinuxSystem
public import SystemPackage

extension Union {
    /// open(2) with O_CREAT of a name that the kernel knows nothing of. Where the union shows a file by now,
    /// it is opened, unless O_EXCL asks for a new one.
    public func create(
        _ parent: NodeID, _ name: PathRef, mode: UInt32, flags: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> (Entry, OpenedFile) {
        let flags = OpenFlags(rawValue: flags)
        var target = try target(parent, name, caller)
        if target.survey.isVisible {
            if flags.contains(.exclusive) { throw .fileExists }
            return try openExisting(name, in: target, flags, caller)
        }
        let change = OwnChange(coherence.noting, target.directory, name)
        let made = try place(.create, name, in: &target, caller) {
            directory, layer throws(Errno) -> LocatedObject in
            let file = try asCaller(caller, in: directory, exact: mode & ModeBits.setGroup != 0) {
                () throws(Errno) -> OwnedDescriptor in
                try directory.openBeneath(
                    name, flags: creationFlags(flags), mode: mode & ModeBits.permissions)
            }
            return try LocatedObject(layer: layer, open: file)
        }
        let layer = made.layer
        // What was made aside has another change time since.
        let status = target.survey.whiteout == nil ? made.status : try made.descriptor.status()
        var entry = try newEntry(name, status, in: layer, target)
        do throws(Errno) {
            let node = try node(entry.node)
            change.left(by: caller)
            let file = try opened(node, layer, made.intoObject(), flags)
            if coherence.plan.isLasting { keepBriefly(&entry) }
            return (entry, file)
        } catch {
            forget(entry.node, count: 1)
            throw error
        }
    }

    private func openExisting(
        _ name: PathRef, in target: borrowing Target, _ flags: OpenFlags, _ caller: CallerIdentity
    ) throws(Errno) -> (Entry, OpenedFile) {
        let entry = try entry(target.survey, name, in: target.directory, target.view)
        do throws(Errno) {
            // The kernel takes nothing but a file here. On ESTALE it walks the path again.
            guard FileKind(mode: entry.attributes.mode) == .regular else { throw .staleNFSFileHandle }
            let file = try open(entry.node, flags: flags.rawValue, caller)
            // O_TRUNC may just have changed its size.
            let node = try node(entry.node)
            var current = entry
            current.attributes = try attributes(of: node, handle: file.handle)
            // The kernel takes these in whatever it learnt meanwhile: they are for this call only.
            current.freshness.attributeSeconds = 0
            return (current, file)
        } catch {
            forget(entry.node, count: 1)
            throw error
        }
    }

    /// O_EXCL always: what the union doesn't show must not be there, whoever put it there meanwhile.
    private func creationFlags(_ flags: OpenFlags) -> OpenFlags {
        flags.union([.create, .exclusive, .noFollow, .noTerminal]).subtracting(.kernelOnly)
    }

    /// O_TMPFILE: a file without a name, in the layer where the directory's new files go.
    public func makeTemporary(
        _ parent: NodeID, mode: UInt32, flags: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> (Entry, OpenedFile) {
        try checkWritable()
        let flags = OpenFlags(rawValue: flags)
        let directory = try node(parent)
        var view = try view(of: directory)
        try checkFlags(of: view, Survey(), for: .put)
        let candidates = try candidates(for: .create, "", in: directory, view)
        let layer = candidates.first
        try checkWritable(layer)
        let real = try self.directory(of: directory, &view, in: layer)
        let file = try asCaller(caller, in: real, exact: mode & ModeBits.setGroup != 0) {
            () throws(Errno) -> OwnedDescriptor in
            let flags = flags.union(.temporaryFile).subtracting(.kernelOnly.union([.create, .noFollow]))
            return try real.openPlain("", flags: flags, mode: mode & ModeBits.permissions)
        }
        let status = try file.descriptor.status()
        let node = adoptNameless(status, try filesystem(of: status, file.descriptor))
        do {
            let entry = Entry(
                node: node.id, generation: 1, attributes: attributes(status, node.filesystem),
                freshness: .none)
            return (entry, try opened(node, layer, file, flags))
        } catch {
            forget(node.id, count: 1)
            throw error
        }
    }

    private func adoptNameless(_ status: FileStatus, _ filesystem: FilesystemFacts) -> Node {
        let identity = ObjectIdentity(status, on: filesystem)
        return table.adopt(identity) { id in
            Node(id: id, identity: identity, filesystem: filesystem)
        }
    }

    private func filesystem(of status: FileStatus, _ object: FileDescriptor) throws(Errno) -> FilesystemFacts
    {
        stack.filesystems.facts(of: status.device, asking: object)
    }
}

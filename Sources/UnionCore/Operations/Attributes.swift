public import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// What stat(2) tells of the node, and how long the kernel may keep it. `handle`: an open file of the
    /// node, where the request names one. `caller` nil: the caller isn't known. ENOENT: the directory has
    /// gone, and nothing was ever told of it. ESTALE: the file isn't where it was; the kernel walks the path
    /// again.
    public func attributes(
        of id: NodeID, handle: HandleID?, _ caller: CallerIdentity? = nil
    ) throws(Errno) -> (Attributes, Freshness) {
        let node = try resolver.node(id)
        try reporting.watchBeforeLook(node)
        return try report(node, to: caller) { () throws(Errno) in
            try resolver.attributes(of: node, handle.flatMap(files.find))
        }
    }

    /// Changes attributes of the owner's real object, as the caller. Returns the attributes after the change.
    /// EROFS: the object's layer is read-only.
    public func setAttributes(
        of id: NodeID, handle: HandleID?, _ changes: AttributeChanges, _ caller: CallerIdentity
    ) throws(Errno) -> (Attributes, Freshness) {
        let node = try resolver.node(id)
        let open = handle.flatMap(files.find)
        if node.isDirectory, resolver.isOutOfReach(node), let left = resolver.changeRemoved(node, changes) {
            return (left, .none)
        }
        let target = try resolver.object(of: node)
        try layers.checkWritable(target.layer)
        try changeOwnerAndMode(of: node, target, changes, caller)
        if let size = changes.size { try changeSize(of: node, target, open, to: size, caller) }
        if changes.killPrivileges && !changes.touchesMode { try killPrivileges(of: node, target, caller) }
        if changes.access != .omit || changes.modification != .omit {
            let (access, modification) = (changes.access, changes.modification)
            try resolver.asCaller(caller, on: node, in: target.layer) { () throws(Errno) in
                try target.descriptor.changeTimes(access: access, modification: modification)
            }
            if node.isDirectory { followTimes(of: node, changes) }
        }
        return try report(node, to: caller) { () throws(Errno) in
            resolver.attributes(try target.descriptor.status(), node.filesystem)
        }
    }

    /// Looks at the attributes, a file's by `look`, and says how long the kernel may keep them. `caller` nil: it isn't known.
    private func report(
        _ node: Node, to caller: CallerIdentity?, _ look: () throws(Errno) -> Attributes
    ) throws(Errno) -> (Attributes, Freshness) {
        try node.looking { () throws(Errno) in
            let begun = coherence.now
            let (attributes, backings) =
                node.isDirectory ? try resolver.directoryAttributes(of: node) : (try look(), 0)
            let seconds = reporting.attributeSeconds(
                of: node, reporting: attributes, from: backings, begun: begun, to: caller?.pid ?? 0)
            return (attributes, Freshness(entrySeconds: 0, attributeSeconds: seconds))
        }
    }

    private func changeOwnerAndMode(
        of node: Node, _ target: borrowing LocatedObject, _ changes: AttributeChanges,
        _ caller: CallerIdentity
    ) throws(Errno) {
        let object = target.descriptor
        let isPrivileged = target.status.isPrivileged
        if changes.uid != nil || changes.gid != nil {
            try resolver.asCaller(caller, on: node, in: target.layer, exact: isPrivileged) {
                () throws(Errno) in
                try object.changeOwner(uid: changes.uid, gid: changes.gid)
            }
        }
        if let mode = changes.mode {
            // Without the caller's groups chmod(2) would quietly drop sgid.
            let keepsGroup = mode & ModeBits.setGroup != 0
            try resolver.asCaller(caller, on: node, in: target.layer, exact: keepsGroup) { () throws(Errno) in
                try object.changeMode(mode & ModeBits.permissions)
            }
        }
    }

    private func changeSize(
        of node: Node, _ target: borrowing LocatedObject, _ open: FileHandle?, to size: Int64,
        _ caller: CallerIdentity
    ) throws(Errno) {
        let object = target.descriptor
        // A caller with CAP_FSETID may change the size and leave suid and sgid. One in the file's group
        // leaves sgid.
        let isPrivileged = target.status.isPrivileged
        try resolver.asCaller(caller, on: node, in: target.layer, exact: isPrivileged) { () throws(Errno) in
            if let open, open.flags.writes { return try open.descriptor.truncate(to: size) }
            try object.truncatePath(to: size)
        }
    }

    /// Drops what a write costs a file. The kernel asks for this before a write that it passes through. A
    /// chown(2) of neither id looks the same; a request is that where no client has the file open for
    /// writing.
    private func killPrivileges(
        of node: Node, _ target: borrowing LocatedObject, _ caller: CallerIdentity
    ) throws(Errno) {
        let object = target.descriptor
        guard node.state.withLock({ $0.openFiles })?.hasWriter == true else {
            return try caller.perform(exact: true) { () throws(Errno) in
                try object.changeOwner(uid: nil, gid: nil)
            }
        }
        try killPrivileges(of: object, caller)
    }

    /// Does what a local filesystem does before a write: the file loses its capabilities. A writer without
    /// CAP_FSETID also costs it suid, and costs it sgid where the group may execute the file or the writer
    /// isn't in the group. The kernel has decided that something must go, but not what.
    private func killPrivileges(
        of object: FileDescriptor, _ caller: CallerIdentity
    ) throws(Errno) {
        let status = try object.status()
        if status.isPrivileged { try dropSetID(of: object, status, caller) }
        do {
            try object.removeXattr("security.capability")
        } catch .noData, .notSupported {
            // The file has none, as nearly always.
        }
    }

    private func dropSetID(
        of object: FileDescriptor, _ status: FileStatus, _ caller: CallerIdentity
    ) throws(Errno) {
        let rights = CallerRights(exactOf: caller)
        if rights.has(.keepSetID) { return }
        var mode = status.permissions & ~ModeBits.setUser
        let isMember = caller.gid == status.gid || rights.isMember(of: status.gid)
        if mode & ModeBits.groupExecute != 0 || !isMember { mode &= ~ModeBits.setGroup }
        if mode != status.permissions { try object.changeMode(mode) }
    }

    /// Gives the skeleton the owner's new time. A directory shows the newest times of what backs it, so its
    /// skeleton must not be newer than the owner.
    private func followTimes(of node: Node, _ changes: AttributeChanges) {
        guard changes.modification != .omit, let upper = stack.upper, let view = try? resolver.view(of: node),
            let skeleton = view.directory(in: upper.index),
            layers.marks(of: "", in: skeleton).contains(.skeleton)
        else { return }
        try? skeleton.changeTimes(access: .omit, modification: changes.modification)
    }
}

extension FileStatus {
    /// Whether it has suid or sgid. A change of its data may cost it these.
    var isPrivileged: Bool { mode & (ModeBits.setUser | ModeBits.setGroup) != 0 }
}

extension AttributeChanges {
    /// Whether the change touches suid and sgid: the real chmod(2), chown(2) or truncate(2), made as the
    /// caller, drops these by itself.
    fileprivate var touchesMode: Bool { mode != nil || uid != nil || gid != nil || size != nil }
}

// From what the layers say to what the union says.

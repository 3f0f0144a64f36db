public import LinuxSystem
public import SystemPackage

extension Union {
    /// Returns the value's length; with an empty buffer, the length only. ENODATA: there is no such
    /// attribute. ERANGE: the buffer is too short.
    public func getXattr(
        _ id: NodeID, _ name: PathRef, into buffer: UnsafeMutableRawBufferPointer, _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let node = try resolver.node(id)
        // A directory that was removed underneath has nothing left that could have attributes.
        if node.isDirectory && resolver.isOutOfReach(node) { throw .noData }
        let target = try resolver.object(of: node)
        if MarkName.isPrivate(name) {
            return try unsafe virtualXattr(name, of: node, target, into: buffer)
        }
        do {
            return try resolver.asCaller(caller, on: node, in: target.layer) { () throws(Errno) in
                try unsafe target.descriptor.getXattr(name, into: buffer)
            }
        } catch .notSupported where MarkName.isACL(name) {
            // A layer without ACLs has none on the file. The kernel would take this error for the answer to
            // whether the caller may use the file.
            throw .noData
        } catch .noData where name == "security.selinux" && !hasSELinux {
            // `ls -l` asks for it on each file, and the kernel keeps no answer. This error tells ls that it
            // need ask for no other file here.
            throw .notSupported
        }
    }

    /// Lists the names of attributes, without the union's own. Returns the list's length; with an empty
    /// buffer, a length that suffices.
    public func listXattrs(
        _ id: NodeID, into buffer: UnsafeMutableRawBufferPointer, _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let node = try resolver.node(id)
        if node.isDirectory && resolver.isOutOfReach(node) { return 0 }
        let target = try resolver.object(of: node)
        let length = try resolver.asCaller(caller, on: node, in: target.layer) { () throws(Errno) in
            try unsafe target.descriptor.listXattrs(into: buffer)
        }
        guard length > 0, unsafe !buffer.isEmpty else { return length }
        // Overlayfs's marks of a copy-up aren't true of a copy. The copy would be in a writable layer, and
        // setting them there would be refused.
        let areMarksHidden = target.layer.isReadOnly
        return unsafe withoutPrivateNames(
            UnsafeMutableRawBufferPointer(rebasing: buffer[..<length]), areMarksHidden)
    }

    /// Sets an attribute of the owner's real object, as the caller. `flags`: those of setxattr(2). EPERM: the
    /// name is the union's own. EROFS: the object's layer is read-only.
    public func setXattr(
        _ id: NodeID, _ name: PathRef, value: UnsafeRawBufferPointer, flags: Int32,
        _ caller: CallerIdentity
    ) throws(Errno) {
        let node = try resolver.node(id)
        try changeXattr(of: node, name, caller) { object throws(Errno) in
            try unsafe object.setXattr(name, value: value, flags: XattrFlags(rawValue: flags))
        }
    }

    /// Removes an attribute of the owner's real object, as the caller. EPERM: the name is the union's own.
    /// ENODATA: there is no such attribute. EROFS: the object's layer is read-only.
    public func removeXattr(
        _ id: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        let node = try resolver.node(id)
        if name == "security.capability", !node.filesystem.isPseudo {
            // The kernel removes this attribute before any caller's write. A caller that asks for the removal
            // itself was judged by its capabilities alone, and nothing can have changed these since.
            let target = try resolver.object(of: node)
            try layers.checkWritable(target.layer)
            return try target.descriptor.removeXattr(name)
        }
        try changeXattr(of: node, name, caller) { object throws(Errno) in try object.removeXattr(name) }
    }

    private func changeXattr(
        of node: Node, _ name: PathRef, _ caller: CallerIdentity,
        _ change: (FileDescriptor) throws(Errno) -> Void
    ) throws(Errno) {
        if MarkName.isPrivate(name) { throw .notPermitted }
        let target = try resolver.object(of: node)
        try layers.checkWritable(target.layer)
        // An ACL sets the mode too, and without the caller's groups would quietly drop sgid.
        let isACL = MarkName.isACL(name)
        try resolver.asCaller(caller, on: node, in: target.layer, exact: isACL) { () throws(Errno) in
            try change(target.descriptor)
        }
        if isACL && node.isDirectory { followACL(of: node, change) }
    }

    /// Changes the ACL on the skeleton too: what is created in a skeleton must inherit what its origin
    /// bequeaths.
    private func followACL(of node: Node, _ change: (FileDescriptor) throws(Errno) -> Void) {
        guard let upper = stack.upper, let view = try? resolver.view(of: node),
            let skeleton = view.directory(in: upper.index),
            layers.marks(of: "", in: skeleton).contains(.skeleton)
        else { return }
        try? change(skeleton)
    }

    /// Closes the gaps that private names leave. Returns the new length.
    private func withoutPrivateNames(
        _ list: UnsafeMutableRawBufferPointer, _ areMarksHidden: Bool
    ) -> Int {
        guard let base = list.baseAddress else { return 0 }
        var kept = 0
        var start = 0
        for end in 0..<list.count where unsafe list[end] == 0 {
            let name = unsafe PathRef(
                unsafe: UnsafePointer((base + start).assumingMemoryBound(to: CChar.self)), count: end - start)
            let length = end + 1 - start
            if !MarkName.isPrivate(name), !(areMarksHidden && MarkName.isOfCopyUp(name)) {
                if kept != start { unsafe (base + kept).copyMemory(from: base + start, byteCount: length) }
                kept += length
            }
            start = end + 1
        }
        return kept
    }
}

// Attributes that aren't on the file but tell about it.
extension Union {
    private func virtualXattr(
        _ name: PathRef, of node: Node, _ target: borrowing LocatedObject,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let value: OwnedName
        if name == "user.switchfs.layer" {
            value = OwnedName(String(target.layer.index))
        } else if name == "user.switchfs.path" {
            value = try realPath(of: node, in: target.layer)
        } else if name == "user.switchfs.kind" {
            value = OwnedName(try kindName(of: node))
        } else {
            throw .noData
        }
        if unsafe buffer.isEmpty { return value.count }
        guard buffer.count >= value.count else { throw .outOfRange }
        unsafe buffer.copyMemory(from: value.ref.bytes)
        return value.count
    }

    private func realPath(of node: Node, in layer: Layer) throws(Errno) -> OwnedName {
        var path = try resolver.path(of: node, in: layer)
        let root = OwnedName(layer.path == "/" ? "" : layer.path)
        if path.isEmpty { return OwnedName(layer.path) }
        if root.count == 0 { return OwnedName("/" + path.string) }
        path.prepend(root.ref)
        return OwnedName(copying: path.ref)
    }

    /// `pure`, `merged` or `complete` for a directory, else the kind of file.
    private func kindName(of node: Node) throws(Errno) -> String {
        guard node.isDirectory else { return node.kind.name }
        let view = try resolver.view(of: node)
        guard view.count == 1 else { return "merged" }
        let only = view.backings.first?.directory
        let isComplete = only.map { layers.marks(of: "", in: $0).contains(.complete) } ?? false
        return isComplete ? "complete" : "pure"
    }
}

extension FileKind {
    /// The kind's word in status, explanations and the virtual attribute.
    var name: String {
        switch self {
        case .regular: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .fifo: "fifo"
        case .socket: "socket"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        }
    }
}

/// Whether SELinux is on: the directory exists only then.
private let hasSELinux = (try? FileDescriptor.workingDirectory.status(at: "/sys/fs/selinux")) != nil

public import LinuxSystem
public import SystemPackage

extension Union {
    /// Reads the symbolic link's target, without a NUL. Returns its length in bytes. EINVAL: it isn't a
    /// symbolic link.
    public func readLink(
        _ id: NodeID, _ caller: CallerIdentity, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let node = try resolver.node(id)
        guard node.kind == .symlink else { throw .invalidArgument }
        if node.filesystem.type == .proc {
            dropTarget(of: node)
            if let length = unsafe try callersOwn(node, caller, into: buffer) { return length }
        }
        let object = try resolver.object(of: node)
        if node.filesystem.type == .proc,
            let length = unsafe try readElsewhere(node, in: object.layer, caller, into: buffer)
        {
            return length
        }
        if let times = policies.accessTimes, !node.filesystem.isPseudo,
            let seen = try? object.descriptor.seen(with: times)
        {
            return try unsafe read(seen.descriptor, node, object.layer, caller, into: buffer)
        }
        return try unsafe read(object.descriptor, node, object.layer, caller, into: buffer)
    }

    private func read(
        _ link: FileDescriptor, _ node: Node, _ layer: Layer, _ caller: CallerIdentity,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try resolver.asCaller(caller, on: node, in: layer) { () throws(Errno) in
            try unsafe link.readLink(into: buffer)
        }
    }

    /// The caller's `self` and `thread-self` of a proc filesystem, rather than the server's. nil: the link is
    /// neither. ENOENT: that filesystem is of another pid namespace, which doesn't know the caller's number.
    private func callersOwn(
        _ node: Node, _ caller: CallerIdentity, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int? {
        guard let alias = node.alias, alias.name == "self" || alias.name == "thread-self" else { return nil }
        let isSelf = alias.name == "self"
        let layer = stack[alias.layer]
        let path = try resolver.path(of: node, in: layer)
        let isAsHere = agents.withProcRoot(above: path.ref, of: node.filesystem, in: layer) { root, rest in
            // Further below, such a name is another thing.
            rest.holdsSlash ? nil : root?.numbersProcessesAsHere
        }
        guard let isAsHere else { return nil }
        guard isAsHere, caller.pid > 0 else { throw .noSuchFileOrDirectory }
        let process = processID(ofThread: caller.pid)
        let target = OwnedName(isSelf ? "\(process)" : "\(process)/task/\(caller.pid)")
        let length = min(target.count, buffer.count)
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: target.ref.bytes[..<length]))
        return length
    }

    /// Reads a link of proc where the caller is. nil: the serving thread must read it.
    private func readElsewhere(
        _ node: Node, in layer: Layer, _ caller: CallerIdentity, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int? {
        let path = try resolver.path(of: node, in: layer)
        let acting = agents.acting(path.ref, on: node.filesystem, in: layer)
        guard case .elsewhere(let agent) = try agents.route(of: acting, ActingFile.readingLink, caller) else {
            return nil
        }
        return try unsafe agent.readLink(path.ref, beneath: layer.root.descriptor, into: buffer)
    }
}

public import LinuxSystem
public import SystemPackage

extension Union {
    /// The symbolic link's target, without a NUL. Returns its length in bytes.
    public func readLink(
        _ id: NodeID, _ caller: CallerIdentity, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let node = try node(id)
        guard node.kind == .symlink else { throw .invalidArgument }
        if node.filesystem.type == .proc, let length = unsafe try callersOwn(node, caller, into: buffer) {
            return length
        }
        let object = try object(of: node)
        return try asCaller(caller, on: node, in: object.layer) { () throws(Errno) in
            try unsafe object.descriptor.readLink(into: buffer)
        }
    }

    /// `self` and `thread-self` of a proc filesystem are the caller's and not the server's.
    private func callersOwn(
        _ node: Node, _ caller: CallerIdentity, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int? {
        guard let place = node.place, caller.pid > 0 else { return nil }
        let isSelf = place.name == "self"
        guard isSelf || place.name == "thread-self" else { return nil }
        let process = processID(ofThread: caller.pid)
        let target = OwnedName(isSelf ? "\(process)" : "\(process)/task/\(caller.pid)")
        let length = min(target.count, buffer.count)
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: target.ref.bytes[..<length]))
        return length
    }
}

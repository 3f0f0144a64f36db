internal import CLinux
public import SystemPackage

/// A call that a process of its own makes, as the caller and in the caller's namespaces.
///
/// It is for what no thread of the server can do for a caller. The kernel lets each thread look into its own
/// process. It numbers processes by the namespace of the process that asks. A call takes some hundred
/// microseconds. EINTR: the process was killed. EPERM: the server isn't root, and can't enter other
/// namespaces.
public struct Agent {
    /// Whether the server may act as any user in any namespace.
    public static var areAvailable: Bool {
        let own = ServerCredentials.own
        return own.uid == 0 && own.canServeElsewhere
    }

    private let caller: CallerIdentity
    private let namespaces: Namespaces

    /// `namespaces`: those to enter, in which the caller isn't where the server is.
    public init(for caller: CallerIdentity, entering namespaces: Namespaces) {
        self.caller = caller
        self.namespaces = namespaces
    }

    /// openat2(2) of `path` beneath `root`.
    public func open(
        _ path: PathRef, beneath root: FileDescriptor, flags: OpenFlags
    ) throws(Errno) -> OwnedDescriptor {
        var call = unsafe slx_agent_call()
        unsafe call.operation = Int32(SLX_AGENT_OPEN)
        unsafe call.path = path.base
        unsafe call.flags = flags.rawValue
        var opened: Int32 = -1
        _ = try unsafe make(&call, on: root, &opened)
        return try OwnedDescriptor(checking: opened)
    }

    /// Fails as stat(2) of that path does.
    public func look(at path: PathRef, beneath root: FileDescriptor) throws(Errno) {
        var call = unsafe slx_agent_call()
        unsafe call.operation = Int32(SLX_AGENT_LOOK)
        unsafe call.path = path.base
        _ = try unsafe make(&call, on: root)
    }

    /// readlink(2) of `path` beneath `root`. Returns the number of bytes.
    public func readLink(
        _ path: PathRef, beneath root: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        var call = unsafe slx_agent_call()
        unsafe call.operation = Int32(SLX_AGENT_READ_LINK)
        unsafe call.path = path.base
        unsafe call.buffer = buffer.baseAddress
        unsafe call.size = buffer.count
        return try unsafe make(&call, on: root)
    }

    /// pread(2), or read(2) of a stream. Returns the number of bytes.
    public func read(
        _ file: FileDescriptor, isStream: Bool, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        var call = unsafe slx_agent_call()
        unsafe call.operation = Int32(SLX_AGENT_READ)
        unsafe call.is_stream = isStream ? 1 : 0
        unsafe call.offset = offset
        unsafe call.buffer = buffer.baseAddress
        unsafe call.size = buffer.count
        return try unsafe make(&call, on: file)
    }

    /// pwrite(2), or write(2) of a stream and of what has no pwrite(2). Returns the number of bytes.
    public func write(
        _ file: FileDescriptor, isStream: Bool, at offset: Int64, from buffer: UnsafeRawBufferPointer
    ) throws(Errno) -> Int {
        var call = unsafe slx_agent_call()
        unsafe call.operation = Int32(SLX_AGENT_WRITE)
        unsafe call.is_stream = isStream ? 1 : 0
        unsafe call.offset = offset
        // The call only reads from it.
        unsafe call.buffer = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
        unsafe call.size = buffer.count
        return try unsafe make(&call, on: file)
    }

    /// Reads on in a directory. Gives entries as getdents64(2) does, and returns their bytes.
    func list(
        _ directory: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        var call = unsafe slx_agent_call()
        unsafe call.operation = Int32(SLX_AGENT_LIST)
        unsafe call.buffer = buffer.baseAddress
        unsafe call.size = buffer.count
        return try unsafe make(&call, on: directory)
    }

    private func make(_ call: inout slx_agent_call, on object: FileDescriptor) throws(Errno) -> Int {
        var opened: Int32 = -1
        return try unsafe make(&call, on: object, &opened)
    }

    private func make(
        _ call: inout slx_agent_call, on object: FileDescriptor, _ opened: inout Int32
    ) throws(Errno) -> Int {
        let own = ServerCredentials.own
        guard Agent.areAvailable else { throw .notPermitted }
        let rights = CallerRights(elsewhere: caller, inOwnUserNamespace: namespaces.contains(.user))
        unsafe call.thread = caller.pid
        unsafe call.namespaces = namespaces.rawValue
        unsafe call.uid = caller.uid
        unsafe call.gid = caller.gid
        unsafe call.capabilities = rights.capabilities ?? own.capabilities.effective
        unsafe call.object = object.rawValue
        unsafe call.group_count = Int32(truncatingIfNeeded: rights.groups.count)
        let result = unsafe rights.groups.withUnsafeBufferPointer { groups in
            unsafe call.groups = groups.baseAddress
            return unsafe slx_agent_call(&call, &opened)
        }
        return try check(result)
    }
}

/// Who asks: the ids that a request carries.
public struct CallerIdentity: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    /// The thread that asks, 0 where our pid namespace doesn't show it.
    public var pid: Int32
    /// Applied to modes of what is made; 0 where the operation makes nothing, which saves two system calls.
    public var umask: UInt32

    @inlinable
    public init(uid: UInt32, gid: UInt32, pid: Int32, umask: UInt32 = 0) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.umask = umask
    }
}

/// How much of a caller's rights a thread takes on besides the ids.
public enum TakenRights: Sendable {
    /// For what the kernel has judged already: no groups and no capabilities. Of a root user the capabilities
    /// that it has; nothing is looked up that a root user with all of the server's doesn't need.
    case judged
    /// All groups and capabilities that the caller has at this moment, and none that it hasn't.
    case exact
}

/// The caller: the ids that a request carries.
public struct CallerIdentity: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    /// The caller's thread. 0: our pid namespace doesn't show it.
    public var pid: Int32
    /// Applied to modes of new objects. 0 if the operation makes nothing, which saves two system calls.
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
    /// For what the kernel has judged already: no groups and no capabilities. A root caller keeps the
    /// capabilities that it has. Nothing is looked up for a root caller that has all of the server's.
    case judged
    /// All groups and capabilities that the caller has at this moment, and no others.
    case exact
}

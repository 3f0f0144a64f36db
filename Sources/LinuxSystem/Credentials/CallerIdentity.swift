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

/// Which supplementary groups a thread takes on.
public enum Groups: Sendable {
    case none
    /// Those of a process or thread, read from /proc; none when it is gone or unknown (0).
    case ofProcess(Int32)
}

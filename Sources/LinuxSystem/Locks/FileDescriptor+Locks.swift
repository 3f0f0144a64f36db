internal import CLinux
public import SystemPackage

/// A lock on a range of bytes. Length 0 reaches to the end of the file, wherever that will be.
public struct FileLock: Sendable, Equatable {
    /// F_RDLCK, F_WRLCK, F_UNLCK.
    public enum Kind: Int32, Sendable {
        case read = 0
        case write = 1
        case unlock = 2
    }

    public var kind: Kind
    public var start: Int64
    public var length: Int64
    /// In answers, the process that holds it; -1 for a lock of an open file.
    public var pid: Int32

    public init(kind: Kind, start: Int64, length: Int64, pid: Int32 = 0) {
        self.kind = kind
        self.start = start
        self.length = length
        self.pid = pid
    }
}

extension FileDescriptor {
    /// flock(2): LOCK_SH, LOCK_EX or LOCK_UN, perhaps with LOCK_NB. EAGAIN (with LOCK_NB): another lock is in
    /// the way.
    public func lock(flock operation: Int32) throws(Errno) {
        try succeed(slx_flock(rawValue, operation))
    }

    /// F_OFD_GETLK: the lock that stands in the way. nil: none does.
    public func conflictingLock(with lock: FileLock) throws(Errno) -> FileLock? {
        var raw = lock.raw
        try unsafe succeed(slx_lock_get(rawValue, &raw))
        guard let kind = FileLock.Kind(rawValue: raw.type), kind != .unlock else { return nil }
        return FileLock(kind: kind, start: raw.start, length: raw.length, pid: raw.pid)
    }

    /// F_OFD_SETLK, or with `wait` F_OFD_SETLKW: takes or frees a lock of this open file. EAGAIN: another
    /// lock is in the way. EINTR: a signal ended the wait.
    public func setLock(_ lock: FileLock, wait: Bool) throws(Errno) {
        var raw = lock.raw
        try unsafe succeed(slx_lock_set(rawValue, &raw, wait ? 1 : 0))
    }
}

extension FileLock {
    fileprivate var raw: slx_lock {
        slx_lock(start: start, length: length, type: kind.rawValue, pid: 0)
    }
}

internal import CLinux
public import SystemPackage

// All but `truncate` work on O_PATH descriptors.
extension FileDescriptor {
    /// chmod(2) of this very object. EOPNOTSUPP: it is a symbolic link.
    public func changeMode(_ mode: UInt32) throws(Errno) {
        try succeed(slx_chmod_fd(rawValue, mode & ModeBits.permissions))
    }

    /// chown(2) of this very object. nil leaves an id as it is.
    public func changeOwner(uid: UInt32?, gid: UInt32?) throws(Errno) {
        try succeed(slx_chown_fd(rawValue, uid ?? .max, gid ?? .max))
    }

    /// utimensat(2) of this very object. `.omit` leaves a time as it is.
    public func changeTimes(access: TimeChange, modification: TimeChange) throws(Errno) {
        try succeed(slx_utimens_fd(rawValue, access.raw, modification.raw))
    }

    /// ftruncate(2). `size` is in bytes; the descriptor must be writable.
    public func truncate(to size: Int64) throws(Errno) {
        try succeed(slx_ftruncate(rawValue, size))
    }

    /// truncate(2) of this very object, with the thread's credentials. `size` is in bytes.
    public func truncatePath(to size: Int64) throws(Errno) {
        try succeed(slx_truncate_fd(rawValue, size))
    }
}

extension TimeChange {
    fileprivate var raw: slx_time_change {
        switch self {
        case .set(let time): slx_time_change(seconds: time.seconds, nanoseconds: time.nanoseconds, how: 0)
        case .now: slx_time_change(seconds: 0, nanoseconds: 0, how: 1)
        case .omit: slx_time_change(seconds: 0, nanoseconds: 0, how: 2)
        }
    }
}

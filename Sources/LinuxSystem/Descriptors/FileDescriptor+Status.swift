internal import CLinux
public import SystemPackage

extension FileDescriptor {
    /// The attributes of this very object, which may be O_PATH.
    public func status() throws(Errno) -> FileStatus {
        try status(at: "", mask: [.basic, .birth, .mountID], flags: .emptyPath)
    }

    /// The attributes of an entry of this directory; of a symbolic link, its own. The empty name is the
    /// directory itself.
    public func status(at name: PathRef) throws(Errno) -> FileStatus {
        try status(at: name, mask: [.basic, .birth, .mountID], flags: [.emptyPath, .noFollow, .noAutomount])
    }

    /// statx(2), with just what `mask` asks for.
    public func status(
        at name: PathRef, mask: StatusMask, flags: StatusFlags
    ) throws(Errno) -> FileStatus {
        var raw = slx_status()
        try unsafe succeed(slx_statx(rawValue, name.base, flags.rawValue, mask.rawValue, &raw))
        return FileStatus(raw)
    }

    /// Whether this directory has the entry. Only ENOENT means no; it throws all other errors.
    public func exists(at name: PathRef) throws(Errno) -> Bool {
        var raw = slx_status()
        let flags: StatusFlags = [.noFollow, .noAutomount, .dontSync]
        let result = unsafe slx_statx(
            rawValue, name.base, flags.rawValue, StatusMask.type.rawValue, &raw)
        if result == -Errno.noSuchFileOrDirectory.rawValue { return false }
        try succeed(result)
        return true
    }

    /// What the filesystem of this object says of itself.
    public func fileSystem() throws(Errno) -> FileSystemStatus {
        var raw = slx_file_system()
        try unsafe succeed(slx_fstatfs(rawValue, &raw))
        return FileSystemStatus(raw)
    }

    /// Checks that the thread's effective credentials may use this object, which may be O_PATH, in that way.
    /// EACCES: they may not.
    public func checkAccess(_ mode: AccessRights) throws(Errno) {
        try succeed(slx_access(rawValue, mode.rawValue))
    }
}

/// R_OK, W_OK and X_OK; the empty set asks for existence.
public struct AccessRights: OptionSet, Sendable {
    public let rawValue: Int32

    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static var execute: AccessRights { AccessRights(rawValue: 1) }
    public static var write: AccessRights { AccessRights(rawValue: 2) }
    public static var read: AccessRights { AccessRights(rawValue: 4) }
}

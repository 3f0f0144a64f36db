internal import CLinux
public import SystemPackage

extension FileDescriptor {
    /// AT_FDCWD: paths start at the thread's working directory, or at the root.
    public static var workingDirectory: FileDescriptor { FileDescriptor(rawValue: -100) }

    /// openat2(2), with close-on-exec added. Throws the kernel's errors, but EAGAIN and EXDEV only after 16
    /// attempts: the kernel takes what is just being moved out of the tree for a way out of it.
    public static func openAt2(
        _ directory: FileDescriptor, _ path: PathRef, flags: OpenFlags, mode: UInt32 = 0,
        resolve: ResolveFlags
    ) throws(Errno) -> OwnedDescriptor {
        let flags = UInt64(UInt32(bitPattern: flags.union(.closeOnExec).rawValue))
        var attempts = 0
        while true {
            do throws(Errno) {
                return try unsafe OwnedDescriptor(
                    checking: slx_openat2(
                        directory.rawValue, path.base, flags, UInt64(mode), resolve.rawValue))
            } catch {
                attempts += 1
                guard error == .improperLink, attempts < 16 else { throw error }
            }
        }
    }

    /// Opens `path` below this directory, and follows no link on the way. The empty path is the directory
    /// itself. A path may have any length. ELOOP: there is a symbolic link. EXDEV: the path leads out.
    public func openBeneath(
        _ path: PathRef, flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        let resolve: ResolveFlags = [.beneath, .noSymlinks, .noMagicLinks]
        let path: PathRef = path.isEmpty ? "." : path
        guard path.count >= longestPath else {
            return try FileDescriptor.openAt2(self, path, flags: flags, mode: mode, resolve: resolve)
        }
        return try openLong(path, flags: flags, mode: mode, resolve: resolve)
    }

    /// The same on the directory's own mount alone. EXDEV: the path leads to another one. ENAMETOOLONG: it is
    /// longer than one call takes.
    public func openOnMount(_ path: PathRef, flags: OpenFlags) throws(Errno) -> OwnedDescriptor {
        guard path.count < longestPath else { throw .fileNameTooLong }
        return try FileDescriptor.openAt2(
            self, path, flags: flags, mode: 0,
            resolve: [.beneath, .noSymlinks, .noMagicLinks, .noOtherMounts])
    }

    /// openat(2), with close-on-exec added. The empty path is the directory itself.
    public func openPlain(
        _ path: PathRef, flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        let path: PathRef = path.isEmpty ? "." : path
        return try unsafe OwnedDescriptor(checking: slx_openat(rawValue, path.base, flags.rawValue, mode))
    }

    /// Opens the very object of this descriptor anew, with the thread's credentials and without its name. The
    /// descriptor may be O_PATH. ELOOP: it is a symbolic link.
    public func reopen(flags: OpenFlags) throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(checking: slx_reopen(rawValue, flags.rawValue))
    }

    /// memfd_create(2): makes a file in memory, without a name.
    public static func memoryFile() throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(checking: slx_memory_file())
    }

    /// F_GETFL: the flags of the open file.
    public func getFlags() throws(Errno) -> OpenFlags {
        OpenFlags(rawValue: try check(slx_get_flags(rawValue)))
    }

    /// F_SETFL: sets append, nonblocking, direct and no access time; the other flags can't change.
    public func setFlags(_ flags: OpenFlags) throws(Errno) {
        try succeed(slx_set_flags(rawValue, flags.rawValue))
    }
}

/// In bytes; PATH_MAX counts the NUL (<linux/limits.h>).
private let longestPath = 4096

extension FileDescriptor {
    /// Walks a path that is too long for one call, by O_PATH directories, as many names at a time as fit.
    private func openLong(
        _ path: PathRef, flags: OpenFlags, mode: UInt32, resolve: ResolveFlags
    ) throws(Errno) -> OwnedDescriptor {
        var rest = path
        var (length, next) = try leadingPart(of: rest)
        var directory = try openPart(rest, length, resolve)
        rest = rest.dropFirst(next)
        while rest.count >= longestPath {
            (length, next) = try leadingPart(of: rest)
            directory = try directory.descriptor.openPart(rest, length, resolve)
            rest = rest.dropFirst(next)
        }
        return try FileDescriptor.openAt2(
            directory.descriptor, rest.isEmpty ? "." : rest, flags: flags, mode: mode, resolve: resolve)
    }

    /// The length of the longest leading part that fits, and where the next name starts.
    private func leadingPart(of path: PathRef) throws(Errno) -> (length: Int, next: Int) {
        var slash = longestPath - 1
        while slash > 0 && path[slash] != 0x2f { slash -= 1 }
        guard slash > 0 else { throw .fileNameTooLong }
        var next = slash
        while path[next] == 0x2f { next += 1 }
        return (slash, next)
    }

    private func openPart(
        _ path: PathRef, _ length: Int, _ resolve: ResolveFlags
    ) throws(Errno) -> OwnedDescriptor {
        let part = OwnedName(copying: path, count: length)
        return try FileDescriptor.openAt2(self, part.ref, flags: [.path, .directory], resolve: resolve)
    }
}

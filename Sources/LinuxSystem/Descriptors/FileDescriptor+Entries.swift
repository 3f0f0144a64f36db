internal import CLinux
public import SystemPackage

// Here `self` is a directory, which may be O_PATH, and `at` a name in it.
extension FileDescriptor {
    /// mknod(2). `mode` has the kind, and `device` is packed as makedev(3) does.
    public func makeNode(at name: PathRef, mode: UInt32, device: UInt64 = 0) throws(Errno) {
        try unsafe succeed(slx_mknodat(rawValue, name.base, mode, device))
    }

    /// mkdir(2).
    public func makeDirectory(at name: PathRef, mode: UInt32) throws(Errno) {
        try unsafe succeed(slx_mkdirat(rawValue, name.base, mode))
    }

    /// symlink(2).
    public func makeSymlink(at name: PathRef, target: PathRef) throws(Errno) {
        try unsafe succeed(slx_symlinkat(target.base, rawValue, name.base))
    }

    /// Gives the very object of this descriptor a further name. The descriptor may be O_PATH or O_TMPFILE.
    public func link(to directory: FileDescriptor, name: PathRef) throws(Errno) {
        try unsafe succeed(slx_link_fd(rawValue, directory.rawValue, name.base))
    }

    /// unlink(2). EISDIR: it is a directory.
    public func unlink(at name: PathRef) throws(Errno) {
        try unsafe succeed(slx_unlinkat(rawValue, name.base, 0))
    }

    /// rmdir(2). ENOTEMPTY: the directory isn't empty.
    public func removeDirectory(at name: PathRef) throws(Errno) {
        let removeDirectory: Int32 = 0x200  // AT_REMOVEDIR, <linux/fcntl.h>
        try unsafe succeed(slx_unlinkat(rawValue, name.base, removeDirectory))
    }

    /// renameat2(2). EINVAL: the filesystem lacks the flag.
    public static func rename(
        from: FileDescriptor, _ name: PathRef, to: FileDescriptor, _ newName: PathRef,
        flags: RenameFlags = []
    ) throws(Errno) {
        try unsafe succeed(
            slx_renameat2(from.rawValue, name.base, to.rawValue, newName.base, flags.rawValue))
    }

    /// Reads the target of a symbolic link, without a NUL and cut at the buffer's end. Returns the number of
    /// bytes. The empty name is this object itself, an O_PATH descriptor of the link.
    public func readLink(
        at name: PathRef = "", into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try unsafe check(slx_readlinkat(rawValue, name.base, buffer.baseAddress, buffer.count))
    }
}

/// Flags of renameat2(2); values of <linux/fs.h>.
public struct RenameFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var noReplace: RenameFlags { RenameFlags(rawValue: 1) }
    public static var exchange: RenameFlags { RenameFlags(rawValue: 2) }
    /// Leaves a character device 0:0 under the old name.
    public static var whiteout: RenameFlags { RenameFlags(rawValue: 4) }
}

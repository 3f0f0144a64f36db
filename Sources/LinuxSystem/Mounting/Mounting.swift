internal import CLinux
public import SystemPackage

/// Mounting and unmounting, with privileges or without.
public enum Mounting {
    /// mount(2).
    public static func mount(
        source: PathRef, target: PathRef, type: PathRef, flags: MountFlags, options: PathRef
    ) throws(Errno) {
        try unsafe succeed(slx_mount(source.base, target.base, type.base, flags.rawValue, options.base))
    }

    /// A mount of the directory's filesystem that nobody else sees, without what is mounted inside. It ends with
    /// the last file that was opened by it. The descriptor is O_PATH. EPERM: there is no CAP_SYS_ADMIN.
    public static func clone(at directory: PathRef) throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(checking: unsafe slx_clone_mount_at(directory.base))
    }

    /// umount2(2). EBUSY: the mount is in use, and the flags don't detach it.
    public static func unmount(_ target: PathRef, flags: UnmountFlags = []) throws(Errno) {
        try unsafe succeed(slx_umount(target.base, flags.rawValue))
    }

    /// Mounts FUSE without privileges, by fusermount3 from the PATH. Returns the device's descriptor.
    public static func mountUnprivileged(
        target: PathRef, options: PathRef
    ) throws(MountHelperError) -> OwnedDescriptor {
        let room = 1024
        let (result, said) = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { buffer in
            unsafe buffer.initialize(repeating: 0)
            let result = unsafe slx_fusermount(target.base, options.base, buffer.baseAddress, room)
            let bytes = unsafe buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return (result, String(decoding: bytes, as: UTF8.self))
        }
        do throws(Errno) {
            return try OwnedDescriptor(checking: result)
        } catch {
            throw MountHelperError(code: error, said: said)
        }
    }

    /// Undoes an unprivileged mount. EPERM: fusermount3 refused, for whatever reason.
    public static func unmountUnprivileged(_ target: PathRef, lazily: Bool = false) throws(Errno) {
        try unsafe succeed(slx_fusermount_unmount(target.base, lazily ? 1 : 0))
    }
}

/// Why fusermount3 mounted nothing.
public struct MountHelperError: Error {
    /// EPERM: it refused. ENOENT: there is no fusermount3.
    public let code: Errno
    private let said: String

    init(code: Errno, said: String) {
        self.code = code
        self.said = said
    }

    /// What fusermount3 said, without its name and on one line; empty if it said nothing.
    public var message: String {
        let lines = said.split(separator: "\n").map { line in
            line.hasPrefix("fusermount3: ") ? line.dropFirst("fusermount3: ".count) : line
        }
        return lines.joined(separator: "; ")
    }
}

/// Flags of mount(2); values of <linux/mount.h>.
public struct MountFlags: OptionSet, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var readOnly: MountFlags { MountFlags(rawValue: 1) }
    public static var noSetUser: MountFlags { MountFlags(rawValue: 2) }
    public static var noDevices: MountFlags { MountFlags(rawValue: 4) }
    public static var noExecute: MountFlags { MountFlags(rawValue: 8) }
    public static var synchronous: MountFlags { MountFlags(rawValue: 16) }
    public static var remount: MountFlags { MountFlags(rawValue: 32) }
    public static var directorySync: MountFlags { MountFlags(rawValue: 128) }
    public static var noSymlinkFollow: MountFlags { MountFlags(rawValue: 256) }
    public static var noAccessTime: MountFlags { MountFlags(rawValue: 1024) }
    public static var noDirectoryAccessTime: MountFlags { MountFlags(rawValue: 2048) }
    public static var bind: MountFlags { MountFlags(rawValue: 4096) }
    public static var recursive: MountFlags { MountFlags(rawValue: 16384) }
    public static var relativeAccessTime: MountFlags { MountFlags(rawValue: 1 << 21) }
    public static var strictAccessTime: MountFlags { MountFlags(rawValue: 1 << 24) }
}

/// Flags of umount2(2); values of include/linux/fs.h, as <sys/mount.h> has them.
public struct UnmountFlags: OptionSet, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// MNT_DETACH: the mount is out of sight at once, and goes when it isn't in use any more.
    public static var detach: UnmountFlags { UnmountFlags(rawValue: 2) }
    public static var noFollow: UnmountFlags { UnmountFlags(rawValue: 8) }
}

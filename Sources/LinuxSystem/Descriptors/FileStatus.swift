internal import CLinux

/// The attributes of a file, as statx(2) gives them.
public struct FileStatus: Sendable {
    public var inode: UInt64
    /// The device of the filesystem, packed as makedev(3) does.
    public var device: UInt64
    public var mode: UInt32
    public var linkCount: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// In bytes.
    public var size: Int64
    /// In blocks of 512 bytes.
    public var blocks: UInt64
    /// In bytes: the preferred size of a read or write.
    public var blockSize: UInt32
    /// The device that a device node stands for, packed as makedev(3) does.
    public var specialDevice: UInt64
    public var accessed: Timestamp
    public var modified: Timestamp
    public var changed: Timestamp
    /// When the file was made. Zero if `mask` lacks `.birth`.
    public var born: Timestamp
    /// STATX_ATTR_* bits.
    public var attributes: UInt64
    public var mountID: UInt64
    /// What the filesystem filled in.
    public var mask: StatusMask

    /// The kind. If Linux doesn't know it, the file counts as a regular one.
    @inlinable public var kind: FileKind { FileKind(mode: mode) ?? .regular }
    @inlinable public var permissions: UInt32 { mode & ModeBits.permissions }
    @inlinable public var isDirectory: Bool { mode & ModeBits.kindMask == FileKind.directory.modeBits }
    @inlinable public var isRegular: Bool { mode & ModeBits.kindMask == FileKind.regular.modeBits }
    @inlinable public var isSymlink: Bool { mode & ModeBits.kindMask == FileKind.symlink.modeBits }
    /// Whether this is the character device 0:0, overlayfs's sign for a removed name.
    @inlinable public var isWhiteoutDevice: Bool {
        mode & ModeBits.kindMask == FileKind.characterDevice.modeBits && specialDevice == 0
    }

    /// STATX_ATTR_IMMUTABLE and STATX_ATTR_APPEND, <linux/stat.h>: what chattr(1) sets as +i and +a.
    @inlinable public var isImmutable: Bool { attributes & 0x10 != 0 }
    @inlinable public var isAppendOnly: Bool { attributes & 0x20 != 0 }

    @inlinable public var deviceMajor: UInt32 { DeviceNumber.major(device) }
    @inlinable public var deviceMinor: UInt32 { DeviceNumber.minor(device) }
    @inlinable public var specialMajor: UInt32 { DeviceNumber.major(specialDevice) }
    @inlinable public var specialMinor: UInt32 { DeviceNumber.minor(specialDevice) }

    init(_ raw: slx_status) {
        inode = raw.inode
        device = raw.device
        mode = raw.mode
        linkCount = raw.link_count
        uid = raw.uid
        gid = raw.gid
        size = raw.size
        blocks = raw.blocks
        blockSize = raw.block_size
        specialDevice = raw.special_device
        accessed = Timestamp(raw.access)
        modified = Timestamp(raw.modification)
        changed = Timestamp(raw.change)
        born = Timestamp(raw.birth)
        attributes = raw.attributes
        mountID = raw.mount_id
        mask = StatusMask(rawValue: raw.mask)
    }
}

extension Timestamp {
    init(_ raw: slx_timestamp) {
        self.init(seconds: raw.seconds, nanoseconds: raw.nanoseconds)
    }
}

/// Device numbers packed as glibc's makedev(3) does (<bits/sysmacros.h>).
public enum DeviceNumber {
    @inlinable
    public static func make(major: UInt32, minor: UInt32) -> UInt64 {
        let (major, minor) = (UInt64(major), UInt64(minor))
        return (major & 0xfff) << 8 | (major & ~0xfff) << 32 | minor & 0xff | (minor & ~0xff) << 12
    }

    @inlinable
    public static func major(_ device: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: device >> 8 & 0xfff | device >> 32 & 0xffff_f000)
    }

    @inlinable
    public static func minor(_ device: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: device & 0xff | device >> 12 & 0xffff_ff00)
    }
}

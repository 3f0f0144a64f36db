internal import CLinux

/// A filesystem's own account, as statfs(2) gives it. Blocks are of `fragmentSize` bytes.
public struct FileSystemStatus: Sendable {
    /// The magic number.
    public var type: FileSystemType
    public var blockSize: UInt64
    public var fragmentSize: UInt64
    public var blocks: UInt64
    public var blocksFree: UInt64
    public var blocksAvailable: UInt64
    public var files: UInt64
    public var filesFree: UInt64
    /// The length of the longest name, in bytes.
    public var nameLength: UInt64
    public var id: UInt64
    /// ST_* bits.
    public var flags: UInt64

    /// ST_RDONLY.
    public var isReadOnly: Bool { flags & 1 != 0 }

    init(_ raw: slx_file_system) {
        type = FileSystemType(rawValue: raw.type)
        blockSize = raw.block_size
        fragmentSize = raw.fragment_size
        blocks = raw.blocks
        blocksFree = raw.blocks_free
        blocksAvailable = raw.blocks_available
        files = raw.files
        filesFree = raw.files_free
        nameLength = raw.name_length
        id = raw.id
        flags = raw.flags
    }
}

/// A filesystem's magic number. The values are of <linux/magic.h>, unless a comment names another file.
public struct FileSystemType: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int64

    @inlinable
    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static var bpf: FileSystemType { FileSystemType(rawValue: 0xcafe_4a11) }
    public static var btrfs: FileSystemType { FileSystemType(rawValue: 0x9123_683e) }
    public static var cgroup: FileSystemType { FileSystemType(rawValue: 0x27_e0eb) }
    public static var cgroup2: FileSystemType { FileSystemType(rawValue: 0x6367_7270) }
    public static var debug: FileSystemType { FileSystemType(rawValue: 0x6462_6720) }
    public static var devpts: FileSystemType { FileSystemType(rawValue: 0x1cd1) }
    public static var ext4: FileSystemType { FileSystemType(rawValue: 0xef53) }
    public static var fuse: FileSystemType { FileSystemType(rawValue: 0x6573_5546) }
    public static var nfs: FileSystemType { FileSystemType(rawValue: 0x6969) }
    public static var overlay: FileSystemType { FileSystemType(rawValue: 0x794c_7630) }
    public static var proc: FileSystemType { FileSystemType(rawValue: 0x9fa0) }
    public static var sys: FileSystemType { FileSystemType(rawValue: 0x6265_6572) }
    public static var temporary: FileSystemType { FileSystemType(rawValue: 0x0102_1994) }
    public static var trace: FileSystemType { FileSystemType(rawValue: 0x7472_6163) }
    public static var xfs: FileSystemType { FileSystemType(rawValue: 0x5846_5342) }
    /// fs/smb/client/cifsfs.c.
    public static var cifs: FileSystemType { FileSystemType(rawValue: 0xff53_4d42) }
    public static var security: FileSystemType { FileSystemType(rawValue: 0x7363_6673) }
    public static var efiVariables: FileSystemType { FileSystemType(rawValue: 0xde5e_81e4) }
    /// fs/configfs/mount.c.
    public static var config: FileSystemType { FileSystemType(rawValue: 0x6265_6570) }
    public static var pstore: FileSystemType { FileSystemType(rawValue: 0x6165_676c) }
}

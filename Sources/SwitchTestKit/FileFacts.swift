import CTestCalls
import Glibc
public import SystemPackage

/// What `stat` says of an object.
public struct FileFacts: Hashable, Sendable {
    /// What an object can be.
    public enum Kind: String, Hashable, Sendable {
        case file, directory, symlink, fifo, socket, character, block, unknown
    }

    /// Of the file system.
    public var device: UInt64
    public var inode: UInt64
    /// Kind and permissions.
    public var mode: UInt32
    public var links: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Bytes.
    public var size: UInt64
    /// Of 512 bytes.
    public var blocks: UInt64
    /// The device that a device node stands for.
    public var special: UInt64
    /// Nanoseconds since 1970.
    public var accessed: Int64
    /// Nanoseconds since 1970.
    public var modified: Int64
    /// Nanoseconds since 1970.
    public var changed: Int64

    /// The mode's lower bits, suid, sgid and the sticky bit included.
    public var permissions: UInt32 { mode & 0o7777 }

    /// What the object is.
    public var kind: Kind {
        switch mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .symlink
        case S_IFIFO: .fifo
        case S_IFSOCK: .socket
        case S_IFCHR: .character
        case S_IFBLK: .block
        default: .unknown
        }
    }

    /// A whiteout as overlayfs writes it: a character device 0:0.
    public var isWhiteout: Bool { kind == .character && special == 0 }

    init(_ raw: tc_status) {
        device = raw.device
        inode = raw.inode
        mode = raw.mode
        links = raw.links
        uid = raw.uid
        gid = raw.gid
        size = raw.size
        blocks = raw.blocks
        special = raw.special
        accessed = raw.accessed
        modified = raw.modified
        changed = raw.changed
    }
}

/// What `statfs` says.
public struct FileSystemFacts: Hashable, Sendable {
    /// Its magic number.
    public var type: Int64
    /// Bytes.
    public var blockSize: UInt64
    /// How many blocks it has.
    public var blocks: UInt64
    /// How many inodes it can have.
    public var files: UInt64
    /// The longest name, in bytes.
    public var nameLength: UInt64
}

extension Errno {
    /// `ENOENT` and the like, for messages.
    public var name: String {
        guard let name = unsafe tc_errno_name(rawValue) else { return "errno \(rawValue)" }
        return unsafe String(cString: name)
    }
}

/// The error that `body` ends with; nil when it ends well.
public func failure(of body: () throws -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch let error as Errno {
        return error
    } catch {
        return Errno(rawValue: EPROTO)
    }
}

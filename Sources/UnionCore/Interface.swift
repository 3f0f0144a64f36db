public import LinuxSystem
public import SystemPackage

// The values that go between the engine and what serves it: a FUSE server, a test.

/// A node's number, as the kernel's `nodeid`.
public struct NodeID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The union's root directory; FUSE_ROOT_ID.
    public static var root: NodeID { NodeID(rawValue: 1) }

    /// Whether the kernel is told that the name is missing.
    var isNothing: Bool { rawValue == 0 }
}

/// The number of an open file or directory.
public struct HandleID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What stat(2) tells of a union object.
public struct Attributes: Sendable {
    public var inode: UInt64
    public var mode: UInt32
    public var linkCount: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// The device that a device node stands for, as makedev(3) packs it.
    public var specialDevice: UInt64
    /// In bytes.
    public var size: Int64
    /// In blocks of 512 bytes.
    public var blocks: UInt64
    /// In bytes: the best size for I/O.
    public var blockSize: UInt32
    public var accessTime: Timestamp
    public var modificationTime: Timestamp
    public var changeTime: Timestamp

    public var kind: FileKind { FileKind(mode: mode) ?? .regular }
}

/// For how many seconds the kernel may keep what it is told. Zero: for this one call.
public struct Freshness: Sendable {
    public var entrySeconds: Double
    public var attributeSeconds: Double

    public static var none: Freshness { Freshness(entrySeconds: 0, attributeSeconds: 0) }
}

/// A name's answer: the node that it denotes, with one more lookup count.
public struct Entry: Sendable {
    public var node: NodeID
    public var generation: UInt64
    public var attributes: Attributes
    public var freshness: Freshness

    /// The generation of a node: numbers don't come again, so all have the same. The kernel makes the root's node
    /// itself.
    public static func generation(of node: NodeID) -> UInt64 { node == .root ? 0 : 1 }

    /// The answer that the name is missing, to be kept for so long: node 0, as the kernel has it.
    static func absent(forSeconds seconds: Double) -> Entry {
        let zero = Timestamp(seconds: 0, nanoseconds: 0)
        let nothing = Attributes(
            inode: 0, mode: 0, linkCount: 0, uid: 0, gid: 0, specialDevice: 0, size: 0, blocks: 0,
            blockSize: 0, accessTime: zero, modificationTime: zero, changeTime: zero)
        return Entry(
            node: NodeID(rawValue: 0), generation: 0, attributes: nothing,
            freshness: Freshness(entrySeconds: seconds, attributeSeconds: 0))
    }
}

/// What setattr asks for. nil and `.omit` leave an attribute as it is.
public struct AttributeChanges: Sendable {
    public var mode: UInt32?
    public var uid: UInt32?
    public var gid: UInt32?
    /// In bytes.
    public var size: Int64?
    public var access = TimeChange.omit
    public var modification = TimeChange.omit
    /// Whether suid, sgid and `security.capability` go, as a local filesystem drops them on a write.
    public var killPrivileges = false

    public init() {}
}

/// How the data of an open file moves.
public enum HandleIO: Sendable, Equatable {
    /// The kernel reads and writes the real file itself.
    case passthrough(backingID: Int32)
    /// By requests to the server, without a page cache. What is mapped is the real file.
    case mapped(backingID: Int32)
    /// By requests to the server, without a page cache. The file can't be mapped shared.
    case direct
    /// By requests to the server, with a page cache of the union's own. `keepsPages`: the cache stays from
    /// one open to the next.
    case cached(keepsPages: Bool)

    /// Whether reads and writes come to the server.
    public var isServed: Bool { if case .passthrough = self { false } else { true } }
}

/// The answer to an open of a file.
public struct OpenedFile: Sendable {
    public var handle: HandleID
    public var io: HandleIO
    /// Whether the real file has no position (ESPIPE).
    public var isStream: Bool
    /// Whether closing has nothing to tell the real file.
    public var needsNoFlush: Bool
}

/// One name of a listing. `name` is valid during the call that brings it.
public struct DirectoryItem {
    public var name: PathRef
    public var inode: UInt64
    public var kind: FileKind?
    /// The offset at which the listing goes on after this name.
    public var nextOffset: UInt64
}

/// A POSIX record lock's range; `end` is inclusive, `Int64.max` for the end of the file.
public struct LockRange: Sendable {
    /// F_RDLCK, F_WRLCK or F_UNLCK.
    public var type: Int16
    public var start: Int64
    public var end: Int64
    public var pid: Int32

    public init(type: Int16, start: Int64, end: Int64, pid: Int32) {
        self.type = type
        self.start = start
        self.end = end
        self.pid = pid
    }
}

/// The kernel's side of passthrough, which registers real files. What serves the union implements it.
public protocol BackingStore: Sendable {
    /// Registers an open regular file. Returns a positive id. Throws the kernel's error if it refuses the
    /// file.
    func open(_ file: FileDescriptor) throws(Errno) -> Int32
    func close(_ id: Int32)
}

/// Why a union couldn't be put together. It is one line: what is wrong and what to do.
public struct UnionOpenError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

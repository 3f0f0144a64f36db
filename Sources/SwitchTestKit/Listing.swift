import CTestCalls
import Glibc
public import SystemPackage

/// One entry as `getdents64` gives it.
public struct ListedEntry: Hashable, Sendable {
    public var name: TestPath
    public var inode: UInt64
    public var kind: FileFacts.Kind
    /// Where to seek to go on after this entry.
    public var next: Int64
}

/// Reads a directory step by step, so that a test can change it in between.
public final class ListingReader {
    public let handle: Handle
    private var pending: ArraySlice<ListedEntry> = []
    private let bufferSize: Int

    /// A small buffer makes many calls to the file system.
    public init(_ path: TestPath, bufferSize: Int = 32768) throws(Errno) {
        handle = try Sys.open(path, O_RDONLY | Flag.directory)
        self.bufferSize = bufferSize
    }

    /// The next entry, `.` and `..` included; nil at the end.
    public func next() throws(Errno) -> ListedEntry? {
        if pending.isEmpty { pending = try readBlock()[...] }
        return pending.popFirst()
    }

    /// All that is left.
    public func rest() throws(Errno) -> [ListedEntry] {
        var all = Array(pending)
        pending = []
        while true {
            let block = try readBlock()
            if block.isEmpty { return all }
            all += block
        }
    }

    /// Goes on at a position that an entry's `next` gave; 0 is the beginning.
    public func seek(to position: Int64) throws(Errno) {
        pending = []
        try handle.seek(position)
    }

    private func readBlock() throws(Errno) -> [ListedEntry] {
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        let count = try checked(unsafe tc_getdents(handle.descriptor, &buffer, bufferSize))
        var entries: [ListedEntry] = []
        var at = 0
        while at < count {
            let length = Int(buffer[at + 16]) | Int(buffer[at + 17]) << 8
            let name = buffer[(at + 19)..<(at + length)].prefix { $0 != 0 }
            entries.append(
                ListedEntry(
                    name: TestPath(bytes: Array(name)), inode: number(buffer[at..<(at + 8)]),
                    kind: Self.kind(buffer[at + 18]),
                    next: Int64(bitPattern: number(buffer[(at + 8)..<(at + 16)]))))
            at += length
        }
        return entries
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func kind(_ type: UInt8) -> FileFacts.Kind {
        switch type {
        case 1: .fifo
        case 2: .character
        case 4: .directory
        case 6: .block
        case 8: .file
        case 10: .symlink
        case 12: .socket
        default: .unknown
        }
    }
}

extension Sys {
    /// The entries but `.` and `..`, in the directory's own order.
    public static func list(_ path: TestPath) throws(Errno) -> [ListedEntry] {
        try ListingReader(path).rest().filter { $0.name != "." && $0.name != ".." }
    }

    /// The names but `.` and `..`, sorted.
    public static func names(_ path: TestPath) throws(Errno) -> [TestPath] {
        try list(path).map(\.name).sorted()
    }
}

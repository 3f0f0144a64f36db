internal import CLinux
internal import Glibc
public import SystemPackage

/// An entry of a directory. Its name is valid until the stream's next call.
public struct DirectoryEntry {
    public let name: PathRef
    public let inode: UInt64
    /// nil: the filesystem doesn't tell.
    public let kind: FileKind?
    /// The stream's position behind this entry.
    public let nextOffset: Int64
}

/// Reads a directory by getdents64(2), "." and ".." included, in the filesystem's order.
///
/// It borrows the descriptor, and the descriptor's offset is the stream's. So a descriptor can have only one
/// stream.
@safe public struct DirectoryStream: ~Copyable, @unchecked Sendable {
    // Sendable: only this value has the buffer.
    public let directory: FileDescriptor
    private let buffer: UnsafeMutableRawPointer
    /// How many bytes one read takes at most.
    private let readSize: Int
    /// How many bytes the buffer holds.
    private let capacity: Int
    /// The part of the buffer that was read and not given out yet.
    private var offset = 0
    private var filled = 0
    /// `offset` and `position` before the last entry.
    private var lastOffset = 0
    private var lastPosition: Int64 = 0
    /// Where the stream is: the `nextOffset` of the last entry given out, or the offset of the last seek.
    public private(set) var position: Int64 = 0

    /// Starts at the descriptor's own offset; a new descriptor's is the beginning. `bufferSize` is the size
    /// of a read, and `ahead` is the most that `readAhead` has at hand, both in bytes.
    public init(reading directory: FileDescriptor, bufferSize: Int = 32 * 1024, ahead: Int = 0) {
        self.directory = directory
        readSize = max(bufferSize, 512)  // a single entry may take 280
        capacity = max(readSize, ahead)
        unsafe buffer = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { unsafe buffer.deallocate() }

    /// Whether the next entry needs a system call.
    public var isAtEndOfBuffer: Bool { offset >= filled }

    /// Takes the last entry back: `next` gives it again. To be called once an entry.
    public mutating func unread() {
        offset = lastOffset
        position = lastPosition
    }

    /// The next entry. nil: the end. After the end another call looks again.
    public mutating func next() throws(Errno) -> DirectoryEntry? {
        if offset >= filled {
            offset = 0
            filled = 0
            filled = try unsafe check(slx_getdents64(directory.rawValue, buffer, readSize))
            if filled == 0 { return nil }
        }
        return decode()
    }

    /// The next entry, read by an agent if it needs a system call. nil: the end.
    public mutating func next(by agent: Agent) throws(Errno) -> DirectoryEntry? {
        if offset >= filled {
            offset = 0
            filled = 0
            let room = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: readSize)
            filled = try unsafe agent.list(directory, into: room)
            if filled == 0 { return nil }
        }
        return decode()
    }

    /// Reads on as far as there is room, and keeps what wasn't given out. `next` meets an error again.
    public mutating func readAhead() {
        unsafe buffer.copyMemory(from: buffer + offset, byteCount: filled - offset)
        filled -= offset
        (offset, lastOffset) = (0, 0)
        while capacity - filled >= 512 {
            let room = capacity - filled
            let count = unsafe try? check(slx_getdents64(directory.rawValue, buffer + filled, room))
            guard let count, count > 0 else { return }
            filled += count
        }
    }

    /// Reads on once, and gives nothing of that out.
    public mutating func skip() throws(Errno) {
        (offset, filled) = (0, 0)
        _ = try unsafe check(slx_getdents64(directory.rawValue, buffer, readSize))
    }

    /// Goes to an entry's `nextOffset`. 0 is the beginning, read anew.
    public mutating func seek(to cookie: Int64) throws(Errno) {
        offset = 0
        filled = 0
        position = Int64(try check(slx_lseek(directory.rawValue, cookie, SeekWhence.start.rawValue)))
    }

    /// struct linux_dirent64: inode, offset of the next, length of the record, kind, name.
    private mutating func decode() -> DirectoryEntry {
        (lastOffset, lastPosition) = (offset, position)
        let record = unsafe buffer + offset
        offset += Int(unsafe record.load(fromByteOffset: 16, as: UInt16.self))
        position = unsafe record.load(fromByteOffset: 8, as: Int64.self)
        return unsafe DirectoryEntry(
            name: PathRef(cString: (record + 19).assumingMemoryBound(to: CChar.self)),
            inode: record.load(as: UInt64.self),
            kind: FileKind(rawValue: record.load(fromByteOffset: 18, as: UInt8.self)),
            nextOffset: position)
    }
}

internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import UnionCore

/// The answer to a READDIR under way: names are added until one doesn't fit.
@safe struct DirectoryListing {
    private let request: fuse_req_t?
    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ request: fuse_req_t?, into buffer: UnsafeMutableRawBufferPointer) {
        unsafe self.request = unsafe request
        unsafe self.buffer = unsafe buffer
    }

    var isEmpty: Bool { count == 0 }

    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    /// False when there is no room.
    mutating func add(_ item: DirectoryItem) -> Bool {
        var status = stat(item)
        let size = unsafe fuse_add_direntry(
            request, room, buffer.count - count, item.name.base, &status, off_t(bitPattern: item.nextOffset))
        return take(size)
    }

    private var room: UnsafeMutablePointer<CChar>? {
        unsafe (buffer.baseAddress.map { unsafe $0 + count })?.assumingMemoryBound(to: CChar.self)
    }

    private mutating func take(_ size: Int) -> Bool {
        guard unsafe size <= buffer.count - count else { return false }
        count += size
        return true
    }
}

extension off_t {
    fileprivate init(bitPattern offset: UInt64) { self = off_t(Int64(bitPattern: offset)) }
}

extension stat {
    /// The two things that a listing tells.
    fileprivate init(_ item: DirectoryItem) {
        self.init()
        st_ino = ino_t(item.inode)
        st_mode = item.kind?.modeBits ?? 0
    }
}

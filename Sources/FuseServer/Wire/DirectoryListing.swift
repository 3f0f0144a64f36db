internal import CFuseShims
internal import LinuxSystem
internal import UnionCore

/// The answer to a READDIR or READDIRPLUS under way: names are added until one doesn't fit.
///
/// It is encoded here and not by libfuse's `fuse_add_direntry`, which wants a `stat` for each.
@safe struct DirectoryListing {
    private let buffer: UnsafeMutableRawBufferPointer
    /// Whether there is room before each name for what LOOKUP would tell of it.
    let hasEntries: Bool
    private var count = 0

    init(into buffer: UnsafeMutableRawBufferPointer, hasEntries: Bool) {
        unsafe self.buffer = unsafe buffer
        self.hasEntries = hasEntries
    }

    var isEmpty: Bool { count == 0 }

    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    /// Adds a name. `entry` nil: only the name is told. False: there is no room.
    mutating func add(_ item: DirectoryItem, _ entry: Entry?) -> Bool {
        guard hasEntries else { return addName(of: item) }
        let size = MemoryLayout<sfs_entry_reply>.size
        guard unsafe size <= buffer.count - count else { return false }
        let reply = entry.map { sfs_entry_reply($0) } ?? sfs_entry_reply()
        unsafe buffer.storeBytes(of: reply, toByteOffset: count, as: sfs_entry_reply.self)
        count += size
        if addName(of: item) { return true }
        count -= size
        return false
    }

    private mutating func addName(of item: DirectoryItem) -> Bool {
        let header = sfs_listed_name(
            inode: item.inode, next_offset: item.nextOffset,
            length: UInt32(truncatingIfNeeded: item.name.count), kind: UInt32(item.kind?.rawValue ?? 0))
        let used = MemoryLayout<sfs_listed_name>.size + item.name.count
        let padded = (used + 7) & ~7
        guard unsafe padded <= buffer.count - count else { return false }
        unsafe buffer.storeBytes(of: header, toByteOffset: count, as: sfs_listed_name.self)
        let name = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[(count + used - item.name.count)...])
        unsafe name.copyMemory(from: UnsafeRawBufferPointer(item.name.bytes))
        for index in used..<padded { unsafe buffer[count + index] = 0 }
        count += padded
        return true
    }

    /// Ends the listing so that the kernel doesn't keep it. An empty answer would make it complete for the
    /// kernel. What is too short for a name ends the listing, too.
    mutating func endUnkept() {
        let length = 8
        guard isEmpty, unsafe buffer.count >= length else { return }
        for index in 0..<length { unsafe buffer[index] = 0 }
        count = length
    }
}

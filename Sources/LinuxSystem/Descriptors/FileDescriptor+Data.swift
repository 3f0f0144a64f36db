internal import CLinux
public import SystemPackage

// Each is one system call. The caller sees to partial reads and writes, and to EINTR.
extension FileDescriptor {
    /// pread(2). Returns the number of bytes read, 0 at the end.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try unsafe check(slx_pread(rawValue, buffer.baseAddress, buffer.count, offset))
    }

    /// pwrite(2). Returns the number of bytes written.
    public func write(from buffer: UnsafeRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        try unsafe check(slx_pwrite(rawValue, buffer.baseAddress, buffer.count, offset))
    }

    /// Writes at the end of the file, wherever that is by then: pwritev2(2) with RWF_APPEND. Returns the
    /// number of bytes written. EOPNOTSUPP: a file of this kind can't do that.
    public func append(from buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try unsafe check(slx_append(rawValue, buffer.baseAddress, buffer.count))
    }

    /// read(2) at the open file's own offset, or of what has none (pipes, sockets, devices). Returns the
    /// number of bytes read, 0 at the end.
    public func readNext(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try unsafe check(slx_read(rawValue, buffer.baseAddress, buffer.count))
    }

    /// write(2) at the open file's own offset, or to what has none. Returns the number of bytes written.
    public func writeNext(from buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try unsafe check(slx_write(rawValue, buffer.baseAddress, buffer.count))
    }

    /// Sets whether reads and writes of the open file fail with EAGAIN rather than wait: FIONBIO, which is one
    /// call where fcntl(2) takes two.
    public func setNonBlocking(_ isNonBlocking: Bool) throws(Errno) {
        try succeed(slx_set_nonblocking(rawValue, isNonBlocking ? 1 : 0))
    }

    /// fsync(2), or fdatasync(2).
    public func synchronize(dataOnly: Bool) throws(Errno) {
        try succeed(slx_fsync(rawValue, dataOnly ? 1 : 0))
    }

    /// fallocate(2). `mode`: FALLOC_FL_* bits. `offset` and `length` are in bytes.
    public func allocate(mode: Int32, offset: Int64, length: Int64) throws(Errno) {
        try succeed(slx_fallocate(rawValue, mode, offset, length))
    }

    /// lseek(2). Returns the new offset in bytes. ENXIO: there is no data or hole any more.
    public func seek(to offset: Int64, whence: SeekWhence) throws(Errno) -> Int64 {
        Int64(try check(slx_lseek(rawValue, offset, whence.rawValue)))
    }

    /// copy_file_range(2). Returns the number of bytes copied, 0 at the end. EXDEV, EINVAL, EOPNOTSUPP: the
    /// kernel can't do it.
    public static func copyRange(
        from: FileDescriptor, offset: Int64, to: FileDescriptor, offset newOffset: Int64, length: Int
    ) throws(Errno) -> Int {
        try check(slx_copy_file_range(from.rawValue, offset, to.rawValue, newOffset, length))
    }

    /// ioctl(2) with a pointer. Returns the call's own value.
    @discardableResult
    public func control(
        _ command: UInt32, argument: UnsafeMutableRawPointer?
    ) throws(Errno) -> Int32 {
        try unsafe check(slx_ioctl(rawValue, command, argument))
    }

    /// Whether this directory, open for reading, is known to tell names apart that differ only in case
    /// (FS_CASEFOLD_FL). Filesystems without such flags don't say.
    public var distinguishesCase: Bool { slx_distinguishes_case(rawValue) != 0 }

    /// ioctl(2) with a number. Returns the call's own value.
    @discardableResult
    public func control(_ command: UInt32, value: UInt64) throws(Errno) -> Int32 {
        try check(slx_ioctl_value(rawValue, command, value))
    }

    /// FIONREAD: how many bytes can be read from a queue without waiting.
    public func waitingBytes() throws(Errno) -> Int {
        var count: Int32 = 0
        try unsafe control(0x541B, argument: &count)
        return Int(count)
    }

    /// poll(2). Returns the POLL* events that there are, after at most `timeout` milliseconds (-1: without
    /// end).
    public func poll(events: Int16, timeout: Int32 = 0) throws(Errno) -> Int16 {
        Int16(truncatingIfNeeded: try check(slx_poll(rawValue, events, timeout)))
    }
}

/// Where an offset counts from; values of <linux/fs.h>.
public enum SeekWhence: Int32, Sendable {
    case start = 0
    case current = 1
    case end = 2
    /// SEEK_DATA: the next byte that isn't in a hole.
    case data = 3
    case hole = 4
}

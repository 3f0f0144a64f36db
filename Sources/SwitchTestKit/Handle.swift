import CTestCalls
import Glibc
public import SystemPackage

/// An open file; closed with the last reference.
public final class Handle: Sendable {
    public let descriptor: Int32

    public init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        _ = tc_close(descriptor)
    }

    public func facts() throws(Errno) -> FileFacts {
        var raw = tc_status()
        try checked(unsafe tc_stat(descriptor, "", Flag.emptyPath, &raw))
        return FileFacts(raw)
    }

    /// What one `read` gives.
    public func read(_ count: Int = 65536) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try checked(unsafe tc_read(descriptor, &buffer, count))
        return Array(buffer.prefix(got))
    }

    public func read(_ count: Int, at offset: Int64) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try checked(unsafe tc_pread(descriptor, &buffer, count, offset))
        return Array(buffer.prefix(got))
    }

    /// Reads on to the end of the file.
    public func readAll() throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = try read(1 << 18)
            if part.isEmpty { return all }
            all += part
        }
    }

    @discardableResult
    public func write(_ bytes: [UInt8]) throws(Errno) -> Int {
        try checked(unsafe tc_write(descriptor, bytes, bytes.count))
    }

    @discardableResult
    public func write(_ text: String) throws(Errno) -> Int {
        try write(Array(text.utf8))
    }

    @discardableResult
    public func write(_ bytes: [UInt8], at offset: Int64) throws(Errno) -> Int {
        try checked(unsafe tc_pwrite(descriptor, bytes, bytes.count, offset))
    }

    @discardableResult
    public func seek(_ offset: Int64, _ whence: Int32 = 0) throws(Errno) -> Int64 {
        Int64(try checked(tc_seek(descriptor, offset, whence)))
    }

    /// F_SETFL.
    public func setFlags(_ flags: Int32) throws(Errno) {
        try checked(tc_set_flags(descriptor, flags))
    }

    public func truncate(to size: Int64) throws(Errno) {
        try checked(tc_ftruncate(descriptor, size))
    }

    public func allocate(_ mode: Int32 = 0, offset: Int64, length: Int64) throws(Errno) {
        try checked(tc_fallocate(descriptor, mode, offset, length))
    }

    @discardableResult
    public func copy(
        from offset: Int64, to target: Handle, at targetOffset: Int64, length: Int
    ) throws(Errno) -> Int {
        try checked(tc_copy_range(descriptor, offset, target.descriptor, targetOffset, length))
    }

    public func synchronize() throws(Errno) {
        try checked(tc_fsync(descriptor))
    }

    public func changeMode(_ mode: UInt32) throws(Errno) {
        try checked(tc_fchmod(descriptor, mode))
    }

    public func changeOwner(uid: UInt32 = .max, gid: UInt32 = .max) throws(Errno) {
        try checked(tc_fchown(descriptor, uid, gid))
    }

    public func changeTimes(accessed: Int64 = Sys.omit, modified: Int64 = Sys.omit) throws(Errno) {
        try checked(tc_futimens(descriptor, accessed, modified))
    }

    /// Gives the open file a name.
    public func link(to path: TestPath) throws(Errno) {
        let source = TestPath("/proc/self/fd/\(descriptor)")
        try Sys.link(source, path, follow: true)
    }

    /// `LOCK_SH`, `LOCK_EX`, `LOCK_UN`, with `LOCK_NB`.
    public func lock(_ operation: Int32) throws(Errno) {
        try checked(tc_flock(descriptor, operation))
    }

    /// An open file description lock on the whole file; never waits.
    public func lockRange(_ type: Int32) throws(Errno) {
        try checked(tc_ofd_lock(descriptor, type))
    }

    public func control(_ command: UInt) throws(Errno) -> Int32 {
        var value: Int32 = 0
        try checked(unsafe tc_ioctl(descriptor, command, &value))
        return value
    }

    public func xattr(_ name: String) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = try checked(unsafe tc_fgetxattr(descriptor, name, &buffer, buffer.count))
        return Array(buffer.prefix(count))
    }

    /// The events that hold now, or come within the time; 0 when none did.
    public func poll(_ events: Int16, within milliseconds: Int32) throws(Errno) -> Int16 {
        Int16(try checked(tc_poll(descriptor, events, milliseconds)))
    }
}

/// Waits on one descriptor with epoll, edge or level as asked.
public final class EventPoll: Sendable {
    private let handle: Handle

    public init(_ watched: Handle, events: UInt32) throws(Errno) {
        handle = Handle(owning: Int32(try checked(tc_epoll_create())))
        try checked(tc_epoll_add(handle.descriptor, watched.descriptor, events))
    }

    /// The events that came; nil at the deadline.
    public func wait(milliseconds: Int32) throws(Errno) -> UInt32? {
        let events = try checked(tc_epoll_wait(handle.descriptor, milliseconds))
        return events == 0 ? nil : UInt32(events)
    }
}

/// A shared mapping of a file; unmapped with the last reference.
@safe public final class Mapping: @unchecked Sendable {
    private let base: UnsafeMutableRawBufferPointer

    public init(_ handle: Handle, offset: Int64 = 0, length: Int, writable: Bool) throws(Errno) {
        var start: UnsafeMutableRawPointer?
        try checked(unsafe tc_map(handle.descriptor, offset, length, writable ? 1 : 0, &start))
        unsafe base = UnsafeMutableRawBufferPointer(start: start, count: length)
    }

    deinit {
        _ = unsafe tc_unmap(base.baseAddress, base.count)
    }

    public subscript(offset: Int) -> UInt8 {
        get { unsafe base[offset] }
        set { unsafe base[offset] = newValue }
    }

    public func bytes(_ range: Range<Int>) -> [UInt8] {
        unsafe Array(base[range])
    }

    public func store(_ bytes: [UInt8], at offset: Int) {
        unsafe UnsafeMutableRawBufferPointer(rebasing: base[offset...]).copyBytes(from: bytes)
    }

    public func synchronize() throws(Errno) {
        try checked(unsafe tc_msync(base.baseAddress, base.count))
    }
}

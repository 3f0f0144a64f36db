internal import CFuse3
internal import CFuseShims
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// The answer that is owed to one request. One of the consuming methods gives it, exactly once. A reply that
/// is dropped answers EIO, so that no client ever hangs.
///
/// It goes out on the device of the thread that gives it, so the thread that has it must give it.
@safe struct Reply: ~Copyable {
    private let request: fuse_req_t

    @inline(__always)
    init(_ request: fuse_req_t) {
        unsafe self.request = unsafe request
    }

    deinit { unsafe fuse_reply_err(request, EIO) }

    @inline(__always)
    private consuming func take() -> fuse_req_t {
        let request = unsafe self.request
        discard self
        return unsafe request
    }

    consuming func error(_ error: Errno) {
        unsafe fuse_reply_err(take(), error.rawValue)
    }

    /// Answers that the request is done, and nothing else.
    consuming func done() {
        unsafe fuse_reply_err(take(), 0)
    }

    /// Ends a request that wants no answer.
    consuming func nothing() {
        unsafe fuse_reply_none(take())
    }

    /// Answers with a name's node. If the client has gone, the lookup count goes back.
    consuming func entry(_ entry: Entry, of union: Union) {
        var parameters = fuse_entry_param(entry)
        let isLost = unsafe fuse_reply_entry(take(), &parameters) != 0
        if isLost && entry.node.rawValue != 0 { union.forget(entry.node, count: 1) }
    }

    consuming func attributes(_ attributes: Attributes, _ freshness: Freshness) {
        var status = stat(attributes)
        unsafe fuse_reply_attr(take(), &status, freshness.attributeSeconds)
    }

    /// Answers with an open file. Closes it again if the client has gone.
    consuming func open(_ file: OpenedFile, of union: Union) {
        var reply = sfs_open_reply(file)
        if send(&reply) != 0 { union.release(file.handle) }
    }

    consuming func open(directory: HandleID, of union: Union) {
        var reply = sfs_open_reply(directory: directory)
        if send(&reply) != 0 { union.releaseDirectory(directory) }
    }

    consuming func create(_ entry: Entry, _ file: OpenedFile, of union: Union) {
        var reply = sfs_create_reply(entry: sfs_entry_reply(entry), open: sfs_open_reply(file))
        if send(&reply) != 0 { union.takeBack(entry, file) }
    }

    /// Answers with a structure in the kernel's own layout, which libfuse passes on as it is. Not 0: the
    /// client has gone.
    private consuming func send<Layout: BitwiseCopyable>(_ layout: inout Layout) -> Int32 {
        unsafe fuse_reply_buf(take(), &layout, MemoryLayout<Layout>.size)
    }

    /// Answers with bytes. True: the client has gone.
    @discardableResult
    consuming func bytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe fuse_reply_buf(take(), bytes.baseAddress, bytes.count) != 0
    }

    /// Answers with a symbolic link's target: `count` bytes at the beginning of a buffer that has room for
    /// one more.
    consuming func target(_ buffer: UnsafeMutableRawBufferPointer, count: Int) {
        unsafe bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    consuming func written(_ count: Int) {
        unsafe fuse_reply_write(take(), count)
    }

    /// Answers with the size of an extended attribute or of their list, in bytes.
    consuming func size(_ count: Int) {
        unsafe fuse_reply_xattr(take(), count)
    }

    consuming func offset(_ offset: Int64) {
        unsafe fuse_reply_lseek(take(), off_t(offset))
    }

    consuming func control(result: Int32, _ output: UnsafeRawBufferPointer) {
        unsafe fuse_reply_ioctl(take(), result, output.baseAddress, output.count)
    }

    consuming func events(_ events: Int16) {
        unsafe fuse_reply_poll(take(), UInt32(UInt16(bitPattern: events)))
    }

    consuming func lock(_ lock: LockRange) {
        var lock = flock(lock)
        unsafe fuse_reply_lock(take(), &lock)
    }

    consuming func fileSystem(_ status: FileSystemStatus) {
        var status = statvfs(status)
        unsafe fuse_reply_statfs(take(), &status)
    }
}

extension Union {
    /// Undoes what the reply to a CREATE or TMPFILE would have handed over.
    func takeBack(_ entry: Entry, _ file: OpenedFile) {
        release(file.handle)
        forget(entry.node, count: 1)
    }
}

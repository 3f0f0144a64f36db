internal import CFuseShims
internal import LinuxSystem

/// A request as the kernel sent it, for what libfuse drops or can't decode. It lives in its worker's buffer.
@safe struct RawRequest {
    private let base: UnsafeMutableRawPointer
    /// In bytes, the header's included; checked against what was read.
    let length: Int

    @unsafe init(_ base: UnsafeMutableRawPointer, length: Int) {
        unsafe self.base = unsafe base
        self.length = length
    }

    var header: sfs_request_header {
        unsafe base.load(as: sfs_request_header.self)
    }

    var caller: CallerIdentity {
        let header = self.header
        return CallerIdentity(uid: header.uid, gid: header.gid, pid: Int32(bitPattern: header.pid))
    }

    /// The part that has a fixed layout. nil: the request is too short for it.
    @inline(__always)
    func body<Layout: BitwiseCopyable>(_ layout: Layout.Type) -> Layout? {
        let start = MemoryLayout<sfs_request_header>.size
        guard length >= start + MemoryLayout<Layout>.size else { return nil }
        return unsafe base.load(fromByteOffset: start, as: layout)
    }

    /// What follows `size` bytes of fixed layout. nil: the request is too short for that.
    func rest(after size: Int) -> UnsafeRawBufferPointer? {
        let start = MemoryLayout<sfs_request_header>.size + size
        guard length >= start else { return nil }
        return unsafe UnsafeRawBufferPointer(start: base + start, count: length - start)
    }
}

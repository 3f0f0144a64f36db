internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import UnionCore

/// The way from libfuse's C callbacks into Swift. Lends the thread's channel, the union, the caller, and the
/// reply.
///
/// It counts no references: all threads share one server, and would fight for the place of its count.
@inline(__always)
func serve(
    _ request: fuse_req_t?, _ operation: (Channel, Union, CallerIdentity, consuming Reply) -> Void
) {
    guard let request = unsafe request else { return }
    guard let context = unsafe sfs_thread_context() else {
        // This is no thread of ours. There is none: libfuse starts no threads.
        _ = unsafe Reply(request)
        return
    }
    unsafe Unmanaged<Channel>.fromOpaque(context)._withUnsafeGuaranteedRef { channel in
        unsafe channel.unionReference._withUnsafeGuaranteedRef { union in
            unsafe operation(channel, union, CallerIdentity(request), Reply(request))
        }
    }
}

extension CallerIdentity {
    @inline(__always)
    fileprivate init(_ request: fuse_req_t) {
        guard let context = unsafe fuse_req_ctx(request) else {
            // This never happens. An unknown caller has no rights.
            self.init(uid: .max, gid: .max, pid: 0)
            return
        }
        let caller = unsafe context.pointee
        self.init(uid: caller.uid, gid: caller.gid, pid: caller.pid, umask: caller.umask)
    }
}

extension NodeID {
    @inline(__always)
    init(_ inode: fuse_ino_t) { self.init(rawValue: inode) }
}

extension HandleID {
    /// The handle that the kernel sends back from our reply to OPEN. Without one it is 0, which is never
    /// given.
    @inline(__always)
    init(_ information: UnsafeMutablePointer<fuse_file_info>?) {
        self.init(rawValue: unsafe information?.pointee.fh ?? 0)
    }
}

extension PathRef {
    /// A name in a request. libfuse always passes one.
    @inline(__always)
    init(name: UnsafePointer<CChar>?) {
        if let name = unsafe name {
            unsafe self.init(cString: name)
        } else {
            self.init("" as StaticString)
        }
    }
}

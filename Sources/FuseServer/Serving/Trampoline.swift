internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import UnionCore

/// The way from libfuse's C callbacks into Swift: lends the thread's channel, the union, who asks, and the
/// reply.
///
/// No reference is counted: one server is shared by all threads, and counting would make its count the
/// place that they all fight for.
@inline(__always)
func serve(
    _ request: fuse_req_t?, _ operation: (Channel, Union, CallerIdentity, consuming Reply) -> Void
) {
    guard let request = unsafe request else { return }
    guard let context = unsafe sfs_thread_context() else {
        // Not one of our threads: there are none that libfuse starts.
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
            // Never so; nobody is somebody without rights.
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
    /// The handle that the kernel sends back from our reply to OPEN; 0, which is never given, without one.
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

internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// READLINK: a symbolic link's target.
func handleReadLink(_ request: fuse_req_t?, _ node: fuse_ino_t) {
    unsafe serve(request) { channel, union, caller, reply in
        // PATH_MAX bytes: the longest target that Linux allows.
        let buffer = unsafe channel.output(4096)
        do throws(Errno) {
            let count = try unsafe union.readLink(NodeID(node), caller, into: buffer)
            unsafe reply.bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } catch {
            reply.error(error)
        }
    }
}

internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// UNLINK.
func handleUnlink(_ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            try unsafe union.unlink(NodeID(parent), PathRef(name: name), caller)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

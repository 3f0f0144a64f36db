internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// LINK: a further name for a file.
func handleLink(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?
) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            let entry = try unsafe union.link(
                NodeID(node), to: NodeID(parent), PathRef(name: name), caller)
            reply.entry(entry, of: union)
        } catch {
            reply.error(error)
        }
    }
}

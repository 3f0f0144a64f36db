internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// SYMLINK.
func handleSymlink(
    _ request: fuse_req_t?, _ target: UnsafePointer<CChar>?, _ parent: fuse_ino_t,
    _ name: UnsafePointer<CChar>?
) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            let entry = try unsafe union.makeSymlink(
                NodeID(parent), PathRef(name: name), target: PathRef(name: target), caller)
            reply.entry(entry, of: union)
        } catch {
            reply.error(error)
        }
    }
}

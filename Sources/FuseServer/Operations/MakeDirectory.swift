internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// MKDIR.
func handleMakeDirectory(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t
) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            let entry = try unsafe union.makeDirectory(
                NodeID(parent), PathRef(name: name), mode: mode, caller)
            reply.entry(entry, of: union)
        } catch {
            reply.error(error)
        }
    }
}

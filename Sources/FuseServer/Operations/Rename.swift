internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// RENAME and RENAME2, with the flags of renameat2(2).
func handleRename(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ newParent: fuse_ino_t,
    _ newName: UnsafePointer<CChar>?, _ flags: UInt32
) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            try unsafe union.rename(
                NodeID(parent), PathRef(name: name), to: NodeID(newParent), PathRef(name: newName),
                flags: flags, caller)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

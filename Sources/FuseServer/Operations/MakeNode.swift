internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// MKNOD: a device, fifo, socket, or a file that isn't opened.
func handleMakeNode(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t,
    _ device: dev_t
) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            let entry = try unsafe union.makeNode(
                NodeID(parent), PathRef(name: name), mode: mode, device: UInt64(device), caller)
            reply.entry(entry, of: union)
        } catch {
            reply.error(error)
        }
    }
}

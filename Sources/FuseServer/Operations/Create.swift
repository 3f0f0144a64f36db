internal import CFuse3
internal import CFuseShims
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// CREATE: open(2) with O_CREAT of a name that the kernel doesn't know.
func handleCreate(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        let flags = unsafe information?.pointee.flags ?? 0
        do throws(Errno) {
            let (entry, file) = try unsafe union.create(
                NodeID(parent), PathRef(name: name), mode: mode, flags: flags, caller)
            let kills = channel.request.body(sfs_create_request.self).map {
                $0.open_flags & SFS_OPEN_KILL_PRIVILEGES != 0
            }
            if kills == true { union.killPrivileges(of: entry.node, file.handle, caller) }
            reply.create(entry, file, of: union)
        } catch {
            reply.error(error)
        }
    }
}

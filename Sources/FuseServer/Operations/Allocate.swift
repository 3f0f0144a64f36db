internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// FALLOCATE.
func handleAllocate(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ mode: Int32, _ offset: off_t, _ length: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        let handle = unsafe HandleID(information)
        do throws(Errno) {
            try unsafe channel.blocking(request) { () throws(Errno) in
                try union.allocate(
                    handle, mode: mode, offset: Int64(offset), length: Int64(length), caller)
            }
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

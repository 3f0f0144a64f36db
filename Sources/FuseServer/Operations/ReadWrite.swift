internal import CFuse3
internal import CFuseShims
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// READ of a file that isn't passed through.
func handleRead(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        let buffer = unsafe channel.output(size)
        let handle = unsafe HandleID(information)
        let openFlags = unsafe information?.pointee.flags
        do throws(Errno) {
            let count = try unsafe channel.blocking(request) { () throws(Errno) in
                try unsafe union.read(
                    handle, at: Int64(offset), into: buffer, flags: openFlags, caller)
            }
            unsafe reply.bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } catch {
            reply.error(error)
        }
    }
}

/// WRITE to a file that isn't passed through.
func handleWrite(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ bytes: UnsafePointer<CChar>?, _ size: Int,
    _ offset: off_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        let data = unsafe UnsafeRawBufferPointer(start: bytes, count: size)
        let handle = unsafe HandleID(information)
        let openFlags = unsafe information?.pointee.flags
        let flags = channel.request.body(sfs_write_request.self)?.write_flags ?? 0
        do throws(Errno) {
            let count = try unsafe channel.blocking(request) { () throws(Errno) in
                try unsafe union.write(
                    handle, at: Int64(offset), from: data, flags: openFlags,
                    killPrivileges: flags & SFS_WRITE_KILL_PRIVILEGES != 0,
                    isFromCache: flags & SFS_WRITE_FROM_CACHE != 0, caller)
            }
            reply.written(count)
        } catch {
            reply.error(error)
        }
    }
}

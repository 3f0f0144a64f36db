internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// LSEEK to data or a hole; the kernel does all other seeking.
func handleSeek(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ offset: off_t, _ whence: Int32,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, _, reply in
        do throws(Errno) {
            let found = try union.seek(
                unsafe HandleID(information), offset: Int64(offset), whence: whence)
            reply.offset(found)
        } catch {
            reply.error(error)
        }
    }
}

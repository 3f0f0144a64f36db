internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// COPY_FILE_RANGE, between files of this union.
func handleCopyRange(
    _ request: fuse_req_t?, _ source: fuse_ino_t, _ sourceOffset: off_t,
    _ sourceInformation: UnsafeMutablePointer<fuse_file_info>?, _ target: fuse_ino_t,
    _ targetOffset: off_t, _ targetInformation: UnsafeMutablePointer<fuse_file_info>?, _ length: Int,
    _ flags: Int32
) {
    unsafe serve(request) { channel, union, caller, reply in
        // No flags are defined.
        guard flags == 0 else { return reply.error(.invalidArgument) }
        let (from, to) = unsafe (HandleID(sourceInformation), HandleID(targetInformation))
        do throws(Errno) {
            let count = try unsafe channel.blocking(request) { () throws(Errno) in
                try union.copyRange(
                    from: from, Int64(sourceOffset), to: to, Int64(targetOffset), length: length, caller)
            }
            reply.written(count)
        } catch {
            reply.error(error)
        }
    }
}

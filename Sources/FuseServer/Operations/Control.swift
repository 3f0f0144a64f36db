internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// IOCTL. The command's number says how much input there is and how much room for output.
///
/// An unknown ioctl gives ENOTTY. From ENOSYS an overlay on top would draw wrong conclusions. The layouts of
/// 32-bit programs differ from ours.
func handleControl(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ command: UInt32, _ argument: UnsafeMutableRawPointer?,
    _ information: UnsafeMutablePointer<fuse_file_info>?, _ flags: UInt32, _ bytes: UnsafeRawPointer?,
    _ inputSize: Int, _ outputSize: Int
) {
    unsafe serve(request) { channel, union, caller, reply in
        guard flags & (SFS_IOCTL_COMPAT | SFS_IOCTL_UNRESTRICTED) == 0 else {
            return reply.error(.inappropriateIOCTLForDevice)
        }
        let input = unsafe UnsafeRawBufferPointer(start: bytes, count: inputSize)
        let output = unsafe channel.output(outputSize)
        let isDirectory = flags & SFS_IOCTL_DIRECTORY != 0
        let handle = isDirectory ? nil : unsafe HandleID(information)
        let number = UInt64(UInt(bitPattern: argument))
        do throws(Errno) {
            let (result, count) = try unsafe channel.blocking(request) { () throws(Errno) in
                try unsafe union.control(
                    NodeID(node), handle: handle, command: command, argument: number, input: input,
                    output: output, caller)
            }
            unsafe reply.control(result: result, UnsafeRawBufferPointer(rebasing: output[..<count]))
        } catch {
            reply.error(error == .noFunction ? .inappropriateIOCTLForDevice : error)
        }
    }
}

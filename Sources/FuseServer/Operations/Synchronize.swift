internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// FSYNC.
func handleSynchronize(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ dataOnly: Int32,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, _, reply in
        channel.handOver()
        do throws(Errno) {
            try union.synchronize(unsafe HandleID(information), dataOnly: dataOnly != 0)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

/// FSYNCDIR.
func handleSynchronizeDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ dataOnly: Int32,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, _, reply in
        channel.handOver()
        do throws(Errno) {
            try union.synchronizeDirectory(NodeID(node), dataOnly: dataOnly != 0)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

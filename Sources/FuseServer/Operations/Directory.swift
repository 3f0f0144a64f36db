internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// OPENDIR.
func handleOpenDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, caller, reply in
        // The kernel then opens directories without asking, from here on, and keeps their listings.
        if union.keepsListings { return reply.error(.noFunction) }
        do throws(Errno) {
            let directory = try union.openDirectory(NodeID(node), caller)
            reply.open(directory, of: union)
        } catch {
            reply.error(error)
        }
    }
}

/// READDIR: names from `offset` on, as many as fit.
func handleReadDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        var listing = unsafe DirectoryListing(request, into: channel.output(size))
        do throws(Errno) {
            let offset = UInt64(bitPattern: Int64(offset))
            if union.keepsListings {
                try union.readDirectory(of: NodeID(node), offset: offset, room: size) { listing.add($0) }
            } else {
                let handle = unsafe HandleID(information)
                try union.readDirectory(handle, offset: offset, caller) { listing.add($0) }
            }
        } catch {
            // What was listed before the error counts; the next request meets it again.
            if listing.isEmpty { return reply.error(error) }
        }
        unsafe reply.bytes(listing.bytes)
    }
}

/// RELEASEDIR. Nobody waits for it.
func handleReleaseDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, _, reply in
        let handle = unsafe HandleID(information)
        reply.done()
        union.releaseDirectory(handle)
    }
}

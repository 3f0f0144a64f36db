internal import CFuse3
internal import SystemPackage
internal import UnionCore

/// STATFS: the filesystem that new files go to.
func handleFileSystemStatus(_ request: fuse_req_t?, _ node: fuse_ino_t) {
    unsafe serve(request) { _, union, _, reply in
        do throws(Errno) {
            let status = try union.fileSystemStatus(NodeID(node))
            reply.fileSystem(status)
        } catch {
            reply.error(error)
        }
    }
}

internal import CFuse3
internal import CFuseShims
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// GETATTR: what stat(2) tells; of an open file, if the request names one.
func handleGetAttributes(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, caller, reply in
        let handle = unsafe information == nil ? nil : HandleID(information)
        do throws(Errno) {
            let (attributes, freshness) = try union.attributes(of: NodeID(node), handle: handle, caller)
            reply.attributes(attributes, freshness)
        } catch {
            reply.error(error)
        }
    }
}

/// SETATTR: chmod, chown, truncate, utimens. The bits of what changes are the kernel's own, as libfuse drops
/// the one that has suid and sgid cleared. A request without any bit has them cleared, too.
func handleSetAttributes(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ status: UnsafeMutablePointer<stat>?, _: Int32,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        guard let status = unsafe status?.pointee else { return reply.error(.invalidArgument) }
        let handle = unsafe information == nil ? nil : HandleID(information)
        let changes = AttributeChanges(channel.attributeChanges, status)
        do throws(Errno) {
            let (attributes, freshness) = try union.setAttributes(
                of: NodeID(node), handle: handle, changes, caller)
            reply.attributes(attributes, freshness)
        } catch {
            reply.error(error)
        }
    }
}

extension AttributeChanges {
    fileprivate init(_ bits: UInt32, _ status: stat) {
        self.init()
        if bits & SFS_CHANGE_MODE != 0 { mode = status.st_mode & ModeBits.permissions }
        if bits & SFS_CHANGE_UID != 0 { uid = status.st_uid }
        if bits & SFS_CHANGE_GID != 0 { gid = status.st_gid }
        if bits & SFS_CHANGE_SIZE != 0 { size = Int64(status.st_size) }
        access = change(bits, SFS_CHANGE_ATIME, SFS_CHANGE_ATIME_NOW, status.st_atim)
        modification = change(bits, SFS_CHANGE_MTIME, SFS_CHANGE_MTIME_NOW, status.st_mtim)
        // Before a passthrough write, and for chown(-1, -1), the kernel sends nothing but the request itself.
        // (fuse_setattr in Linux 6.18's fs/fuse/dir.c, where KILLPRIV_V2 was agreed on.)
        killPrivileges = bits & SFS_CHANGE_KILL_PRIVILEGES != 0 || bits & SFS_CHANGES == 0
    }
}

private func change(_ bits: UInt32, _ set: UInt32, _ now: UInt32, _ time: timespec) -> TimeChange {
    if bits & now != 0 { return .now }
    return bits & set != 0 ? .set(Timestamp(time)) : .omit
}

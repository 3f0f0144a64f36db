internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// OPEN of an existing file.
func handleOpen(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, caller, reply in
        let flags = unsafe information?.pointee.flags ?? 0
        do throws(Errno) {
            let file = try unsafe channel.interrupt.interruptible(request) { () throws(Errno) in
                try union.open(NodeID(node), flags: flags, caller)
            }
            let kills = channel.request.body(sfs_open_request.self).map {
                $0.open_flags & SFS_OPEN_KILL_PRIVILEGES != 0
            }
            if kills == true { union.killPrivileges(of: NodeID(node), file.handle, caller) }
            reply.open(file, of: union)
        } catch {
            reply.error(error)
        }
    }
}

/// RELEASE: the last close of an open file. No client waits for it.
func handleRelease(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { channel, union, _, reply in
        guard let file = unsafe information?.pointee else { return reply.done() }
        reply.done()
        let handle = HandleID(rawValue: file.fh)
        channel.server.polls.remove(handle)
        union.release(handle)
    }
}

/// FLUSH: one close(2) of perhaps several.
func handleFlush(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, _, reply in
        do throws(Errno) {
            try union.flush(
                unsafe HandleID(information), lockOwner: unsafe information?.pointee.lock_owner ?? 0)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

extension Union {
    /// Drops suid and sgid with the content, when opening a file truncates it. The file is open then, and a
    /// failure here doesn't undo that.
    func killPrivileges(of node: NodeID, _ handle: HandleID, _ caller: CallerIdentity) {
        var changes = AttributeChanges()
        changes.killPrivileges = true
        _ = try? setAttributes(of: node, handle: handle, changes, caller)
    }
}

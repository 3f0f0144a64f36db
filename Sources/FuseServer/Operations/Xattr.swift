internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// GETXATTR: the value, or with size 0 only its length. ERANGE: it doesn't fit.
func handleGetXattr(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ size: Int
) {
    unsafe serve(request) { channel, union, caller, reply in
        let buffer = unsafe channel.output(size)
        do throws(Errno) {
            let count = try unsafe union.getXattr(
                NodeID(node), PathRef(name: name), into: buffer, caller)
            unsafe answer(reply, size, buffer, count)
        } catch {
            reply.error(error)
        }
    }
}

/// LISTXATTR: the names, each with its NUL, or with size 0 only their length. ERANGE: they don't fit.
func handleListXattrs(_ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int) {
    unsafe serve(request) { channel, union, caller, reply in
        let buffer = unsafe channel.output(size)
        do throws(Errno) {
            let count = try unsafe union.listXattrs(NodeID(node), into: buffer, caller)
            unsafe answer(reply, size, buffer, count)
        } catch {
            reply.error(error)
        }
    }
}

private func answer(
    _ reply: consuming Reply, _ size: Int, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int
) {
    if size == 0 { return reply.size(count) }
    if count > buffer.count { return reply.error(.outOfRange) }
    unsafe reply.bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
}

/// REMOVEXATTR.
func handleRemoveXattr(_ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            try unsafe union.removeXattr(NodeID(node), PathRef(name: name), caller)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

/// SETXATTR.
func handleSetXattr(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ value: UnsafePointer<CChar>?,
    _ size: Int, _ flags: Int32
) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            try unsafe union.setXattr(
                NodeID(node), PathRef(name: name), value: UnsafeRawBufferPointer(start: value, count: size),
                flags: flags, caller)
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

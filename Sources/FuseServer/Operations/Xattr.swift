internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// GETXATTR: the value, or with size 0 only how long it is. ERANGE when it doesn't fit.
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

/// LISTXATTR: the names, each with its NUL; sizes as with GETXATTR.
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

/// SETXATTR. Decoded here, for libfuse 3.14 knows only the short layout, which lacks the flag that has sgid
/// cleared with a new ACL.
func handleSetXattr(_ channel: Channel, _ request: RawRequest) {
    let reply = RawReply(request)
    let layout = MemoryLayout<sfs_setxattr_request>.size
    let fixed = channel.server.negotiation.hasLongSetxattr ? layout : layout / 2
    // The short one, too, is followed by bytes enough: a name and a value, or it is malformed.
    guard let rest = unsafe request.rest(after: fixed), let words = request.words(),
        let nul = unsafe rest.firstIndex(of: 0), rest.count - nul - 1 >= Int(words.size),
        let base = rest.baseAddress
    else { return reply.error(.invalidArgument) }
    let name = unsafe PathRef(unsafe: base.assumingMemoryBound(to: CChar.self), count: nul)
    let value = unsafe UnsafeRawBufferPointer(start: base + nul + 1, count: Int(words.size))
    let isLong = fixed == layout
    let extra = isLong ? request.body(sfs_setxattr_request.self)?.setxattr_flags ?? 0 : 0
    do throws(Errno) {
        try unsafe channel.server.union.setXattr(
            NodeID(rawValue: request.header.node), name, value: value, flags: Int32(bitPattern: words.flags),
            killSetgid: extra & SFS_SETXATTR_KILL_SETGID != 0, request.caller)
        reply.done()
    } catch {
        reply.error(error)
    }
}

/// The words that both layouts begin with.
private struct ShortXattr: BitwiseCopyable {
    var size: UInt32
    var flags: UInt32
}

extension RawRequest {
    fileprivate func words() -> ShortXattr? { body(ShortXattr.self) }
}

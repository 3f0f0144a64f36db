internal import CFuseShims
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// TMPFILE: open(2) with O_TMPFILE. It is decoded and answered here, as libfuse 3.14 doesn't know it. The
/// request is laid out as CREATE's; its name means nothing.
func handleTemporary(_ channel: Channel, _ request: RawRequest) {
    let reply = RawReply(request)
    guard let body = request.body(sfs_create_request.self) else { return reply.error(.invalidArgument) }
    var caller = request.caller
    caller.umask = body.umask
    do throws(Errno) {
        let (entry, file) = try channel.server.union.makeTemporary(
            NodeID(rawValue: request.header.node), mode: body.mode, flags: Int32(bitPattern: body.flags),
            caller)
        reply.create(entry, file, of: channel.server.union)
    } catch {
        reply.error(error)
    }
}

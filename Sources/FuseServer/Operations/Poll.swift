internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// POLL: what is ready now. If a handle comes with the request, the kernel is told later when that changes.
func handlePoll(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?,
    _ wake: OpaquePointer?
) {
    unsafe serve(request) { channel, union, _, reply in
        let wakeUp = unsafe wake.map { unsafe PollWakeUp($0) }
        // The kernel's poll flags beyond the first sixteen bits are epoll's own.
        let events = Int16(truncatingIfNeeded: unsafe information?.pointee.poll_events ?? 0)
        do throws(Errno) {
            let ready = try channel.server.polls.poll(
                unsafe HandleID(information), events: events, wakeUp: wakeUp, of: union)
            reply.events(ready)
        } catch {
            reply.error(error)
        }
    }
}

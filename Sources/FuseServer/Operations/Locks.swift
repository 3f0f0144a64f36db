internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

// These requests come only if the union also takes locks on the real files. Otherwise the kernel keeps locks
// by itself. A request that must wait for a lock goes to a thread that does nothing else (`LockWaiters`).

/// GETLK: a lock that would be in the way, or F_UNLCK.
func handleGetLock(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?,
    _ lock: UnsafeMutablePointer<flock>?
) {
    unsafe serve(request) { _, union, caller, reply in
        guard let lock = unsafe lock?.pointee else { return reply.error(.invalidArgument) }
        do throws(Errno) {
            let owner = unsafe information?.pointee.lock_owner ?? 0
            let found = try union.getLock(
                unsafe HandleID(information), owner: owner, lock: LockRange(lock))
            reply.lock(found)
        } catch {
            reply.error(error)
        }
    }
}

/// SETLK, or SETLKW if it waits.
func handleSetLock(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?,
    _ lock: UnsafeMutablePointer<flock>?, _ wait: Int32
) {
    unsafe serve(request) { channel, union, caller, reply in
        guard let lock = unsafe lock?.pointee else { return reply.error(.invalidArgument) }
        let handle = unsafe HandleID(information)
        let owner = unsafe information?.pointee.lock_owner ?? 0
        do throws(Errno) {
            let blocked = try unsafe channel.blocking(request) { () throws(Errno) in
                try union.setLock(
                    handle, owner: owner, lock: LockRange(lock), wait: wait != 0, caller)
            }
            unsafe reply.lock(after: blocked, request, channel)
        } catch {
            reply.error(error)
        }
    }
}

/// SETLK and SETLKW for flock(2).
func handleFlock(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?,
    _ operation: Int32
) {
    unsafe serve(request) { channel, union, caller, reply in
        let handle = unsafe HandleID(information)
        do throws(Errno) {
            let blocked = try unsafe channel.blocking(request) { () throws(Errno) in
                try union.flock(handle, operation: operation, caller)
            }
            unsafe reply.lock(after: blocked, request, channel)
        } catch {
            reply.error(error)
        }
    }
}

extension Reply {
    /// Answers at once, or once the client has the lock.
    fileprivate consuming func lock(after blocked: LockWait?, _ request: fuse_req_t?, _ channel: Channel) {
        guard let blocked, let request = unsafe request else { return done() }
        channel.server.lockWaiters.take(unsafe PendingLock(blocked, self, request, channel.device))
    }
}

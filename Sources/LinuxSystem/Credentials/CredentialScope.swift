internal import CLinux
public import SystemPackage

/// Lets the calling thread act as a caller until this value's end: effective ids, supplementary groups and
/// umask, by system calls that concern this thread only.
///
/// An effective uid other than 0 empties the effective capabilities, and going back to 0 brings the
/// permitted ones back; that is the kernel's rule, and nothing is done for it here. Real and saved ids stay
/// the server's, so that the caller can't signal or trace the thread.
///
/// A server that isn't root can become nobody else: it goes on with its own rights, as for a mount that only
/// its own user sees. For uid 0 the groups don't matter, and uid 0 with the server's gid costs no call.
///
/// Scopes don't nest. When going back fails the process is terminated: no thread may go on with foreign
/// credentials.
public struct CredentialScope: ~Copyable {
    private let restoration: Restoration

    /// Becomes the caller. On an error the thread is what it was.
    public init(becoming identity: CallerIdentity, groups: Groups) throws(Errno) {
        var restoration = Restoration()
        do {
            try restoration.become(identity, groups)
        } catch {
            restoration.run()
            throw error
        }
        self.restoration = restoration
    }

    deinit { restoration.run() }

    /// Runs `body` as the caller.
    @inlinable
    public static func run<R: ~Copyable>(
        as identity: CallerIdentity, groups: Groups, _ body: () throws(Errno) -> R
    ) throws(Errno) -> R {
        let scope = try CredentialScope(becoming: identity, groups: groups)
        let result = try body()
        scope.end()
        return result
    }

    /// Ends the scope here, and not where its variable ends.
    @inlinable
    public consuming func end() {}
}

/// What has been changed and is to be changed back.
private struct Restoration {
    private var uid = false
    private var gid = false
    private var groups = false
    private var umask = false

    mutating func become(_ identity: CallerIdentity, _ wanted: Groups) throws(Errno) {
        let own = ServerCredentials.own
        if own.uid == 0 {
            // Ids last: with them go the capabilities that the others need.
            if identity.uid != 0 { try becomeMember(wanted) }
            if identity.gid != own.gid {
                try succeed(slx_set_effective_gid(identity.gid))
                gid = true
            }
            if identity.uid != 0 {
                try succeed(slx_set_effective_uid(identity.uid))
                uid = true
            }
        }
        if identity.umask != 0 {
            _ = slx_umask(identity.umask)
            umask = true
        }
    }

    private mutating func becomeMember(_ wanted: Groups) throws(Errno) {
        switch wanted {
        case .none: try ThreadGroups.clear()
        case .ofProcess(let pid): try ThreadGroups.adopt(from: pid)
        }
        groups = true
    }

    /// Back to the server's own, in the opposite order.
    func run() {
        if umask { _ = slx_umask(0) }
        if uid { mustSucceed(slx_set_effective_uid(ServerCredentials.own.uid)) }
        if gid { mustSucceed(slx_set_effective_gid(ServerCredentials.own.gid)) }
        if groups { mustSucceed(ServerCredentials.own.restoreGroups()) }
    }

    private func mustSucceed(_ result: Int32) {
        if result < 0 { fatalError("cannot restore the thread's credentials: errno \(-result)") }
    }
}

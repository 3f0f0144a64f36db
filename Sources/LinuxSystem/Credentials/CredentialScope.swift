internal import CLinux
public import SystemPackage

/// Lets the calling thread act as a caller until this value's end. It takes on effective ids, supplementary
/// groups, effective capabilities and umask, by system calls that concern only this thread.
///
/// An effective uid other than 0 empties the effective capabilities, so those that the caller has are raised
/// again. Going back to 0 brings the permitted ones back. Both are the kernel's rule. If the rule is switched
/// off, the capabilities are set each time. Real and saved ids stay the server's, so that the caller can't
/// signal or trace the thread.
///
/// A server that isn't root can't become another user. It goes on with its own rights, as for a mount that
/// only its own user sees.
///
/// Scopes don't nest. If going back fails, the process is terminated: no thread may go on with foreign
/// credentials.
/// Scopes don't nest. When going back fails the process is terminated: no thread may go on with foreign
/// credentials.
public struct CredentialScope: ~Copyable {
    private let restoration: Restoration

    /// Becomes the caller. After an error the thread is what it was. EOVERFLOW: the caller's uid or gid has
    /// no number here.
    public init(becoming identity: CallerIdentity, _ rights: TakenRights) throws(Errno) {
        var restoration = Restoration()
        do {
            try restoration.become(identity, rights)
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
        as identity: CallerIdentity, _ rights: TakenRights, _ body: () throws(Errno) -> R
    ) throws(Errno) -> R {
        let scope = try CredentialScope(becoming: identity, rights)
        let result = try body()
        scope.end()
        return result
    }

    /// Ends the scope here, and not where its variable ends.
    @inlinable
    public consuming func end() {}
}

/// What was changed and must be changed back.
private struct Restoration {
    private var uid = false
    private var gid = false
    private var groups = false
    private var capabilities = false
    private var umask = false

    mutating func become(_ identity: CallerIdentity, _ taken: TakenRights) throws(Errno) {
        // To the calls below that number means that nothing is to change. A caller without a number here has
        // no rights.
        guard identity.uid != .max, identity.gid != .max else { throw .overflow }
        let own = ServerCredentials.own
        if own.uid == 0 {
            let rights = CallerRights(of: identity, taken)
            // Capabilities come last: the other calls need them.
            if rights.capabilities != nil { try join(rights.groups, own) }
            if identity.gid != own.gid {
                try succeed(slx_set_effective_gid(identity.gid))
                gid = true
            }
            if identity.uid != 0 {
                try succeed(slx_set_effective_uid(identity.uid))
                uid = true
            }
            if let wanted = rights.capabilities { try limit(to: wanted, own) }
        }
        if identity.umask != 0 {
            _ = slx_umask(identity.umask)
            umask = true
        }
    }

    private mutating func join(_ wanted: [UInt32], _ own: ServerCredentials) throws(Errno) {
        guard own.mustChange(groups: wanted) else { return }
        try ThreadGroups.set(wanted)
        groups = true
    }

    private mutating func limit(to wanted: UInt64, _ own: ServerCredentials) throws(Errno) {
        // Leaving uid 0 has emptied them.
        if wanted == 0 && uid && !own.keepsCapabilities { return }
        var changed = own.capabilities
        changed.effective = wanted
        try unsafe succeed(slx_set_capabilities(&changed))
        capabilities = true
    }

    /// Goes back to the server's own credentials, in the opposite order.
    func run() {
        let own = ServerCredentials.own
        if umask { _ = slx_umask(0) }
        // The saved uid is the server's, so this takes no capability, and brings them all back.
        if uid { mustSucceed(slx_set_effective_uid(own.uid)) }
        if capabilities && (!uid || own.keepsCapabilities) {
            var before = own.capabilities
            mustSucceed(unsafe slx_set_capabilities(&before))
        }
        if gid { mustSucceed(slx_set_effective_gid(own.gid)) }
        if groups { mustSucceed(own.restoreGroups()) }
    }

    /// Ends the process if the call failed: a thread that kept a caller's credentials would serve the next
    /// caller with them.
    private func mustSucceed(_ result: Int32) {
        if result < 0 { fatalError("cannot restore the thread's credentials: errno \(-result)") }
    }
}

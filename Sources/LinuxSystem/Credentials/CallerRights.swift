internal import CLinux

/// The rights of a caller that a thread takes on besides the ids.
public struct CallerRights: Sendable {
    let groups: [UInt32]
    /// nil: all that the server has. The server's groups stay then, and don't matter.
    let capabilities: UInt64?

    /// All rights that the caller has at this moment.
    public init(exactOf identity: CallerIdentity) { self = Self.exact(identity) }

    /// Whether the rights include the capability.
    public func has(_ capability: Capability) -> Bool {
        (capabilities ?? ServerCredentials.own.capabilities.effective) & capability.bit != 0
    }

    /// Whether the group is one of the supplementary ones. False for a caller with all capabilities.
    public func isMember(of group: UInt32) -> Bool { groups.contains(group) }

    /// The rights that count where an agent acts. In the caller's own user namespace these are all that the
    /// caller has there.
    init(elsewhere identity: CallerIdentity, inOwnUserNamespace: Bool) {
        guard inOwnUserNamespace else {
            self = Self.exact(identity)
            return
        }
        guard let status = ThreadStatus(of: identity.pid), status.isOrigin(of: identity) else {
            self = .least
            return
        }
        self.init(groups: status.groups, capabilities: status.effective)
    }

    static let least = CallerRights(groups: [], capabilities: 0)
    static let servers = CallerRights(groups: [], capabilities: nil)

    init(of identity: CallerIdentity, _ taken: TakenRights) {
        switch taken {
        case .judged: self = Self.judged(identity)
        case .exact: self = Self.exact(identity)
        }
    }

    private init(groups: [UInt32], capabilities: UInt64?) {
        self.groups = groups
        self.capabilities = capabilities
    }

    private init(_ status: ThreadStatus, _ identity: CallerIdentity) {
        let own = ServerCredentials.own
        // They are never more than the server has, and never such as count in another user namespace.
        var capabilities = status.effective & own.capabilities.effective
        if capabilities != 0, !own.sharesNamespace(with: identity.pid) { capabilities = 0 }
        if identity.uid == 0, capabilities == own.capabilities.effective {
            self = .servers
        } else {
            self.init(groups: status.groups, capabilities: capabilities)
        }
    }

    /// The rights for what the kernel has judged already. The kernel may act itself, in a thread of its own
    /// or in a thread of a process that isn't meant (an overlay over the union acts as the process that
    /// mounted it). Then the capabilities aren't known. Its judgement stands alone, as it did with the ids
    /// that came with it.
    private static func judged(_ identity: CallerIdentity) -> CallerRights {
        guard identity.uid == 0 else { return .least }
        let own = ServerCredentials.own
        let missing = own.capabilities.effective & ~Capabilities.effective(of: identity.pid)
        if missing == 0, own.sharesNamespace(with: identity.pid) { return .servers }
        guard let status = ThreadStatus(of: identity.pid) else { return .least }
        return status.isOrigin(of: identity) ? CallerRights(status, identity) : .servers
    }

    /// All rights that the caller has. The kernel's threads, unknown ones, and such as act with other ids
    /// than their own, get the least.
    private static func exact(_ identity: CallerIdentity) -> CallerRights {
        guard let status = ThreadStatus(of: identity.pid), status.isOrigin(of: identity) else {
            return .least
        }
        return CallerRights(status, identity)
    }
}

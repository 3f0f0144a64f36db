internal import CLinux

/// A capability's number; values of <linux/capability.h>.
public struct Capability: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static var changeOwner: Capability { Capability(rawValue: 0) }
    public static var overrideAccess: Capability { Capability(rawValue: 1) }
    public static var keepSetID: Capability { Capability(rawValue: 4) }
    public static var setGroups: Capability { Capability(rawValue: 6) }
    public static var setUser: Capability { Capability(rawValue: 7) }
    /// CAP_SYS_PTRACE.
    public static var trace: Capability { Capability(rawValue: 19) }
    public static var sysAdmin: Capability { Capability(rawValue: 21) }
    public static var nice: Capability { Capability(rawValue: 23) }
    public static var makeNode: Capability { Capability(rawValue: 27) }
}

/// The calling thread's capabilities.
public enum Capabilities {
    /// One bit each. No bits: the kernel doesn't tell.
    public static func effective() -> UInt64 { own().effective }
    public static func permitted() -> UInt64 { own().permitted }

    /// Whether the calling thread's effective capabilities include this one.
    public static func hasEffective(_ capability: Capability) -> Bool {
        effective() & capability.bit != 0
    }

    static func own() -> slx_capabilities {
        read(0) ?? slx_capabilities(effective: 0, permitted: 0, inheritable: 0)
    }

    /// Another thread's effective capabilities, which count in its own user namespace. An unknown thread has
    /// none.
    static func effective(of thread: Int32) -> UInt64 {
        guard thread > 0 else { return 0 }
        return read(thread)?.effective ?? 0
    }

    private static func read(_ thread: Int32) -> slx_capabilities? {
        var capabilities = slx_capabilities(effective: 0, permitted: 0, inheritable: 0)
        return unsafe slx_capabilities(thread, &capabilities) < 0 ? nil : capabilities
    }
}

extension Capability {
    var bit: UInt64 { 1 << UInt64(rawValue) }
}

/// The server's own effective ids.
public enum ServerIdentity {
    public static var uid: UInt32 { ServerCredentials.own.uid }
    public static var gid: UInt32 { ServerCredentials.own.gid }
    public static var pid: Int32 { slx_getpid() }
}

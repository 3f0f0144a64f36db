internal import CLinux

/// A capability's number; values of <linux/capability.h>.
public struct Capability: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static var changeOwner: Capability { Capability(rawValue: 0) }
    public static var overrideAccess: Capability { Capability(rawValue: 1) }
    public static var readAndSearch: Capability { Capability(rawValue: 2) }
    public static var setGroups: Capability { Capability(rawValue: 6) }
    public static var setUser: Capability { Capability(rawValue: 7) }
    public static var sysAdmin: Capability { Capability(rawValue: 21) }
    public static var nice: Capability { Capability(rawValue: 23) }
    public static var makeNode: Capability { Capability(rawValue: 27) }
}

/// The calling thread's capabilities.
public enum Capabilities {
    /// One bit each; none where the kernel won't tell.
    public static func effective() -> UInt64 { read().effective }
    public static func permitted() -> UInt64 { read().permitted }

    public static func hasEffective(_ capability: Capability) -> Bool {
        effective() >> UInt64(capability.rawValue) & 1 != 0
    }

    private static func read() -> (effective: UInt64, permitted: UInt64) {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        let result = unsafe slx_capabilities(&effective, &permitted)
        return result < 0 ? (0, 0) : (effective, permitted)
    }
}

/// The server's own effective ids.
public enum ServerIdentity {
    public static var uid: UInt32 { ServerCredentials.own.uid }
    public static var gid: UInt32 { ServerCredentials.own.gid }
    public static var pid: Int32 { slx_getpid() }
}

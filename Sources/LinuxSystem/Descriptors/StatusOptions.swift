/// What to ask statx(2) for; values of <linux/stat.h>.
public struct StatusMask: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var type: StatusMask { StatusMask(rawValue: 0x001) }
    public static var mode: StatusMask { StatusMask(rawValue: 0x002) }
    public static var linkCount: StatusMask { StatusMask(rawValue: 0x004) }
    public static var size: StatusMask { StatusMask(rawValue: 0x200) }
    public static var inode: StatusMask { StatusMask(rawValue: 0x100) }
    /// STATX_BASIC_STATS: all that stat(2) gives.
    public static var basic: StatusMask { StatusMask(rawValue: 0x7ff) }
    public static var birth: StatusMask { StatusMask(rawValue: 0x800) }
    public static var mountID: StatusMask { StatusMask(rawValue: 0x1000) }
}

/// How statx(2) looks for the object and asks for its status; AT_* values of <linux/fcntl.h>.
public struct StatusFlags: OptionSet, Sendable {
    public let rawValue: Int32

    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static var noFollow: StatusFlags { StatusFlags(rawValue: 0x100) }
    public static var noAutomount: StatusFlags { StatusFlags(rawValue: 0x800) }
    public static var emptyPath: StatusFlags { StatusFlags(rawValue: 0x1000) }
    /// AT_STATX_DONT_SYNC: cached attributes suffice.
    public static var dontSync: StatusFlags { StatusFlags(rawValue: 0x4000) }
}

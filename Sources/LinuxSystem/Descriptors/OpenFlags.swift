/// Flags of open(2), with the values of this machine's kernel headers.
public struct OpenFlags: OptionSet, Sendable, Hashable {
    public let rawValue: Int32

    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static var readOnly: OpenFlags { OpenFlags(rawValue: 0) }
    public static var writeOnly: OpenFlags { OpenFlags(rawValue: 0o1) }
    public static var readWrite: OpenFlags { OpenFlags(rawValue: 0o2) }
    /// O_ACCMODE: the bits that hold one of the three above.
    public static var accessMask: OpenFlags { OpenFlags(rawValue: 0o3) }
    public static var create: OpenFlags { OpenFlags(rawValue: 0o100) }
    public static var exclusive: OpenFlags { OpenFlags(rawValue: 0o200) }
    public static var noTerminal: OpenFlags { OpenFlags(rawValue: 0o400) }
    public static var truncate: OpenFlags { OpenFlags(rawValue: 0o1000) }
    public static var append: OpenFlags { OpenFlags(rawValue: 0o2000) }
    public static var nonBlocking: OpenFlags { OpenFlags(rawValue: 0o4000) }
    /// O_SYNC, of which O_DSYNC is a part.
    public static var sync: OpenFlags { OpenFlags(rawValue: 0o4010000) }
    public static var noAccessTime: OpenFlags { OpenFlags(rawValue: 0o1000000) }
    public static var closeOnExec: OpenFlags { OpenFlags(rawValue: 0o2000000) }
    public static var path: OpenFlags { OpenFlags(rawValue: 0o10000000) }

    // include/uapi/asm-generic/fcntl.h, but arch/arm*/include/uapi/asm/fcntl.h has its own order.
    #if arch(arm64) || arch(arm)
        public static var directory: OpenFlags { OpenFlags(rawValue: 0o40000) }
        public static var noFollow: OpenFlags { OpenFlags(rawValue: 0o100000) }
        public static var direct: OpenFlags { OpenFlags(rawValue: 0o200000) }
        public static var largeFile: OpenFlags { OpenFlags(rawValue: 0o400000) }
    #else
        public static var direct: OpenFlags { OpenFlags(rawValue: 0o40000) }
        public static var largeFile: OpenFlags { OpenFlags(rawValue: 0o100000) }
        public static var directory: OpenFlags { OpenFlags(rawValue: 0o200000) }
        public static var noFollow: OpenFlags { OpenFlags(rawValue: 0o400000) }
    #endif

    /// O_TMPFILE: a nameless file in the directory that is opened.
    public static var temporaryFile: OpenFlags { OpenFlags(rawValue: 0o20000000).union(.directory) }

    /// Whether the access mode allows reading.
    @inlinable public var reads: Bool { rawValue & 0o3 != 0o1 }
    /// Whether the access mode allows writing.
    @inlinable public var writes: Bool { rawValue & 0o3 == 0o1 || rawValue & 0o3 == 0o2 }
}

/// How openat2(2) resolves a path; values of <linux/openat2.h>.
public struct ResolveFlags: OptionSet, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var noOtherMounts: ResolveFlags { ResolveFlags(rawValue: 0x01) }
    public static var noMagicLinks: ResolveFlags { ResolveFlags(rawValue: 0x02) }
    public static var noSymlinks: ResolveFlags { ResolveFlags(rawValue: 0x04) }
    public static var beneath: ResolveFlags { ResolveFlags(rawValue: 0x08) }
    public static var cached: ResolveFlags { ResolveFlags(rawValue: 0x20) }
}

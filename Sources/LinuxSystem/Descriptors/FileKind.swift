/// The kind of a file. The raw value is the DT_* of a directory's entry.
public enum FileKind: UInt8, Sendable {
    case fifo = 1
    case characterDevice = 2
    case directory = 4
    case blockDevice = 6
    case regular = 8
    case symlink = 10
    case socket = 12

    /// The kind in a mode's upper bits. nil: Linux knows no such kind.
    @inlinable
    public init?(mode: UInt32) {
        self.init(rawValue: UInt8(truncatingIfNeeded: mode >> 12 & 0o17))
    }

    /// S_IF*: the kind as a mode's upper bits.
    @inlinable public var modeBits: UInt32 { UInt32(rawValue) << 12 }
}

/// Bits of a mode; values of <linux/stat.h>.
public enum ModeBits {
    public static var kindMask: UInt32 { 0o170000 }
    public static var permissions: UInt32 { 0o7777 }
    public static var setUser: UInt32 { 0o4000 }
    public static var setGroup: UInt32 { 0o2000 }
    public static var sticky: UInt32 { 0o1000 }
    public static var groupExecute: UInt32 { 0o010 }
}

/// Flags that Glibc's module leaves out (values of Linux's uapi headers, generic architectures).
public enum Flag {
    public static let readOnly: Int32 = 0
    public static let path: Int32 = 0o10000000
    public static let directory: Int32 = 0o200000
    public static let temporary: Int32 = 0o20200000
    public static let noFollow: Int32 = 0o400000
    public static let direct: Int32 = 0o40000
    public static let closeOnExec: Int32 = 0o2000000

    public static let renameNoReplace: UInt32 = 1
    public static let renameExchange: UInt32 = 2
    public static let renameWhiteout: UInt32 = 4

    public static let emptyPath: Int32 = 0x1000
    public static let followLink: Int32 = 0x400
    public static let doNotFollow: Int32 = 0x100
    public static let removeDirectory: Int32 = 0x200
    public static let currentDirectory: Int32 = -100

    public static let seekData: Int32 = 3
    public static let seekHole: Int32 = 4

    public static let keepSize: Int32 = 1
    public static let punchHole: Int32 = 2
    public static let zeroRange: Int32 = 16

    /// Of mounts.
    public static let bind: UInt = 4096

    public static let xattrCreate: Int32 = 1
    public static let xattrReplace: Int32 = 2
}

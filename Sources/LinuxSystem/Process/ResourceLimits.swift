internal import CLinux
public import SystemPackage

/// What the process may use of the machine.
public enum ResourceLimits {
    /// How many processors this process may run on.
    public static var processorCount: Int { Int(slx_processor_count()) }

    /// Raises the soft limit of open files to the hard one. Returns both limits after that.
    @discardableResult
    public static func raiseOpenFiles() throws(Errno) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        try unsafe succeed(slx_raise_open_files(&soft, &hard))
        return (soft, hard)
    }
}

internal import CLinux
public import SystemPackage

/// What the process may use of the machine.
public enum ResourceLimits {
    /// How many processors this process may run on.
    public static var processorCount: Int { Int(slx_processor_count()) }

    /// Whether the machine has so much memory that some may be spent on what is only probably needed: an eighth of
    /// it can be had.
    public static var hasMemoryToSpare: Bool {
        // `MemTotal: N kB`, `MemFree: N kB`, `MemAvailable: N kB`, …
        let lines = SmallFile.text("/proc/meminfo")?.split(separator: "\n").prefix(3) ?? []
        let sizes = lines.compactMap { UInt64($0.split(separator: " ").dropFirst().first ?? "") }
        return sizes.count < 3 || sizes[2] >= sizes[0] / 8
    }

    /// Raises the soft limit of open files to the hard one. Returns both limits after that.
    @discardableResult
    public static func raiseOpenFiles() throws(Errno) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        try unsafe succeed(slx_raise_open_files(&soft, &hard))
        return (soft, hard)
    }
}

internal import CLinux
public import SystemPackage

/// What the process may use of the machine.
public enum ResourceLimits {
    /// How many processors this process may run on.
    public static var processorCount: Int { Int(slx_processor_count()) }

    /// Whether the machine has so much memory that some may be spent on what is only probably needed: an eighth of
    /// it can be had.
    public static var hasMemoryToSpare: Bool {
        guard let (total, available) = memory else { return true }
        return available >= total / 8
    }

    /// The machine's memory, and what of it can be had without swapping, in KiB. The first lines of meminfo are
    /// `MemTotal: N kB`, `MemFree` and `MemAvailable`.
    private static var memory: (total: UInt64, available: UInt64)? {
        guard let file = try? FileDescriptor.workingDirectory.openPlain("/proc/meminfo", flags: .readOnly)
        else { return nil }
        let numbers = unsafe withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { buffer in
            let count = unsafe (try? file.descriptor.readNext(into: buffer)) ?? 0
            let lines = unsafe buffer.prefix(count).split(separator: UInt8(ascii: "\n")).prefix(3)
            return unsafe lines.map { line in
                unsafe line.reduce(into: UInt64(0)) { number, byte in
                    if (48...57).contains(byte) { number = number &* 10 &+ UInt64(byte - 48) }
                }
            }
        }
        return numbers.count == 3 ? (numbers[0], numbers[2]) : nil
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

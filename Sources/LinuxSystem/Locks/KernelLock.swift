public import SystemPackage

/// A file as /proc/locks names it.
public struct LockedFile: Hashable, Sendable {
    public var deviceMajor: UInt32
    public var deviceMinor: UInt32
    public var inode: UInt64

    public init(deviceMajor: UInt32, deviceMinor: UInt32, inode: UInt64) {
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.inode = inode
    }

    public init(_ status: FileStatus) {
        self.init(deviceMajor: status.deviceMajor, deviceMinor: status.deviceMinor, inode: status.inode)
    }
}

/// A record lock that a process of this machine holds or waits for: a line of /proc/locks.
public struct KernelLock: Sendable, Equatable {
    public var isWaiting: Bool
    /// The process's number in this process's pid namespace.
    public var process: Int32
    public var file: LockedFile
    public var lock: FileLock

    /// The record locks of processes. Locks of open files aren't among them, as they have no process.
    /// Processes outside this pid namespace aren't seen.
    public static func all() throws(Errno) -> [KernelLock] {
        let file = try FileDescriptor.workingDirectory.openPlain("/proc/locks", flags: .readOnly)
        return parse(try file.descriptor.readToEnd())
    }

    /// The locks in the bytes of /proc/locks. Lines that make no sense are left out.
    public static func parse(_ bytes: [UInt8]) -> [KernelLock] {
        bytes.split(separator: 0x0a).compactMap { KernelLock(line: $0) }
    }

    /// 2: -> POSIX  ADVISORY  WRITE 314 08:01:1234 0 EOF
    private init?(line: ArraySlice<UInt8>) {
        var words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }[...]
        guard words.popFirst() != nil else { return nil }
        isWaiting = words.first == "->"
        if isWaiting { words.removeFirst() }
        let fields = Array(words)
        guard fields.count >= 7, fields[0] == "POSIX", let process = Int32(fields[3]), process > 0,
            let file = LockedFile(text: fields[4]), let start = Int64(fields[5]), start >= 0
        else { return nil }
        let isExclusive = fields[2] == "WRITE"
        guard isExclusive || fields[2] == "READ" else { return nil }
        self.process = process
        self.file = file
        lock = FileLock(kind: isExclusive ? .write : .read, start: start, length: 0)
        if fields[6] != "EOF" {
            guard let end = Int64(fields[6]), end >= start, end < .max else { return nil }
            lock.length = end - start + 1
        }
    }
}

extension LockedFile {
    /// 08:01:1234, the device in hexadecimal.
    fileprivate init?(text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let major = UInt32(parts[0], radix: 16),
            let minor = UInt32(parts[1], radix: 16), let inode = UInt64(parts[2])
        else { return nil }
        self.init(deviceMajor: major, deviceMinor: minor, inode: inode)
    }
}

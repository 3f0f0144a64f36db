internal import CLinux
public import SystemPackage

/// A mount of this process's namespace: a line of /proc/self/mountinfo. Paths are raw bytes.
public struct MountInfo: Sendable, Equatable {
    public var id: UInt64
    public var parent: UInt64
    public var deviceMajor: UInt32
    public var deviceMinor: UInt32
    /// The directory of the filesystem that is the mount's root.
    public var root: [UInt8]
    public var mountPoint: [UInt8]
    /// The mount's options: "rw,relatime".
    public var options: String
    public var fileSystemType: String
    public var source: [UInt8]
    /// The filesystem's options.
    public var superOptions: String

    /// All mounts, in the order of mounting.
    public static func all() throws(Errno) -> [MountInfo] {
        let file = try FileDescriptor.workingDirectory.openPlain("/proc/self/mountinfo", flags: .readOnly)
        return parse(try file.descriptor.readToEnd())
    }

    /// The mounts in the bytes of such a file. Lines that make no sense are left out.
    public static func parse(_ bytes: [UInt8]) -> [MountInfo] {
        bytes.split(separator: 0x0a).compactMap { MountInfo(line: $0) }
    }

    /// 36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/root rw
    private init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
        // The optional fields, from the seventh on, end at a lone "-".
        guard fields.count >= 10,
            let end = fields[6...].firstIndex(where: { $0.elementsEqual([0x2d]) }), end + 3 < fields.count
        else { return nil }
        let device = fields[2].split(separator: 0x3a).map { UInt32(text($0)) }
        guard let id = UInt64(text(fields[0])), let parent = UInt64(text(fields[1])), device.count == 2,
            let major = device[0], let minor = device[1]
        else { return nil }
        self.id = id
        self.parent = parent
        deviceMajor = major
        deviceMinor = minor
        root = unescape(fields[3])
        mountPoint = unescape(fields[4])
        options = text(fields[5])
        fileSystemType = text(fields[end + 1])
        source = unescape(fields[end + 2])
        superOptions = text(fields[end + 3])
    }

    public var mountPointString: String { String(decoding: mountPoint, as: UTF8.self) }
    public var sourceString: String { String(decoding: source, as: UTF8.self) }
    public var rootString: String { String(decoding: root, as: UTF8.self) }
}

private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

/// The kernel writes space, tab, newline and backslash as a backslash and three octal digits.
private func unescape(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result = [UInt8]()
    result.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
        let digits = bytes[index...].dropFirst().prefix(3)
        if bytes[index] == 0x5c, digits.count == 3, let byte = UInt8(text(digits), radix: 8) {
            result.append(byte)
            index += 4
        } else {
            result.append(bytes[index])
            index += 1
        }
    }
    return result
}

extension FileDescriptor {
    /// Reads the rest of a file from its offset on. For small files off the request path.
    public func readToEnd() throws(Errno) -> [UInt8] {
        var bytes = [UInt8]()
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let result = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe slx_read(rawValue, buffer.baseAddress, buffer.count)
            }
            if result == -Int64(Errno.interrupted.rawValue) { continue }
            let count = try check(result)
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}

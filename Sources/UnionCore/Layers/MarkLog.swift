internal import LinuxSystem
internal import SystemPackage

/// The file behind a `MarkTable`, as it is read.
///
/// A line is a word and fields, separated by tabs. Bytes that could be mistaken for something else are
/// written as % and two hexadecimal digits.
struct MarkLog: ~Copyable {
    enum Line: Equatable {
        case set(MarkTable.Key, name: String, value: [UInt8]?)
        case drop(MarkTable.Key)
    }

    private static var fileName: PathRef { WorkArea.nameOfMarks }
    private static var newFileName: PathRef { WorkArea.nameOfNewMarks }
    private static let header = "switchfs-marks 1"

    private(set) var values: [MarkTable.Key: MarkTable.Values] = [:]

    init(in directory: FileDescriptor) {
        guard let file = try? directory.openBeneath(Self.fileName, flags: [.readOnly, .noFollow]),
            let bytes = try? file.descriptor.readToEnd()
        else { return }
        // A crash cut off what follows the last newline.
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast()
        guard let first = lines.first, String(decoding: first, as: UTF8.self) == Self.header else { return }
        for line in lines.dropFirst() { if let line = Line(line) { take(line) } }
    }

    private mutating func take(_ line: Line) {
        switch line {
        case .set(let key, let name, let value):
            values[key, default: [:]][name] = value
        case .drop(let key):
            values[key] = nil
        }
    }

    /// Forgets directories that aren't there any more: their numbers may come again.
    mutating func dropMissing(_ upper: FileDescriptor) {
        guard !values.isEmpty else { return }
        var missing = Set(values.keys)
        if let status = try? upper.status() { missing.remove(MarkTable.Key(status)) }
        upper.walkTree { directory, entry, _ in
            guard entry.kind == .directory || entry.kind == nil,
                let status = try? directory.status(at: entry.name), status.isDirectory
            else { return .pass }
            missing.remove(MarkTable.Key(status))
            return missing.isEmpty ? .stop : .enter
        }
        for key in missing { values[key] = nil }
    }

    /// Writes the file anew, without what was overridden, and opens it for more.
    consuming func rewritten(in directory: FileDescriptor) -> OwnedDescriptor? {
        var text = Array((Self.header + "\n").utf8)
        for (key, values) in values {
            for (name, value) in values { text += Line.set(key, name: name, value: value).bytes }
        }
        do {
            let flags: OpenFlags = [.writeOnly, .create, .truncate, .append, .noFollow]
            let file = try directory.openBeneath(Self.newFileName, flags: flags, mode: 0o600)
            try file.descriptor.writeForGood(text)
            try FileDescriptor.rename(from: directory, Self.newFileName, to: directory, Self.fileName)
            return file
        } catch {
            return nil
        }
    }

    static func append(_ line: Line, to log: FileDescriptor) throws(Errno) {
        try log.writeForGood(line.bytes)
    }
}

extension MarkLog.Line {
    var bytes: [UInt8] {
        let fields: [[UInt8]] =
            switch self {
            case .set(let key, let name, let value?):
                [Array("set".utf8), Array(key.text.utf8), Array(name.utf8), value]
            case .set(let key, let name, nil):
                [Array("unset".utf8), Array(key.text.utf8), Array(name.utf8)]
            case .drop(let key):
                [Array("drop".utf8), Array(key.text.utf8)]
            }
        return fields.map { Self.escape($0) }.joined(separator: [0x09]) + [0x0a]
    }

    init?(_ line: some Collection<UInt8>) {
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false).map { Self.unescape($0) }
        func text(_ index: Int) -> String { String(decoding: fields[index], as: UTF8.self) }
        switch (text(0), fields.count) {
        case ("set", 4):
            guard let key = MarkTable.Key(text(1)) else { return nil }
            self = .set(key, name: text(2), value: fields[3])
        case ("unset", 3):
            guard let key = MarkTable.Key(text(1)) else { return nil }
            self = .set(key, name: text(2), value: nil)
        case ("drop", 2):
            guard let key = MarkTable.Key(text(1)) else { return nil }
            self = .drop(key)
        default: return nil
        }
    }

    static func escape(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if byte > 0x20 && byte != 0x25 && byte != 0x7f {
                result.append(byte)
            } else {
                result += Array((byte < 16 ? "%0" : "%").utf8) + Array(String(byte, radix: 16).utf8)
            }
        }
        return result
    }

    static func unescape(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}

extension MarkTable.Key {
    var text: String { "\(inode).\(birth.seconds).\(birth.nanoseconds)" }

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let inode = UInt64(parts[0]), let seconds = Int64(parts[1]),
            let nanoseconds = UInt32(parts[2])
        else { return nil }
        self.init(inode: inode, birth: Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }
}

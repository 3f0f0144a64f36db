internal import CLinux
public import SystemPackage

/// What names a file on its filesystem for good (name_to_handle_at(2)). It survives renames. A file that is
/// made later under the same inode number has another one.
@safe public struct FileHandle: Sendable, Hashable {
    // They are zero beyond the length, so that all words can be compared.
    private var words = InlineArray<16, UInt64>(repeating: 0)
    /// In bytes.
    public private(set) var length: UInt32 = 0
    public private(set) var type: Int32 = 0

    /// The handle of this very object, which may be O_PATH.
    fileprivate init(of fd: Int32) throws(Errno) {
        try unsafe succeed(slx_name_to_handle(fd, &words, &length, &type))
    }

    private var wordCount: Int { Int(length + 7) / 8 }

    /// The type, a point, and the bytes in hexadecimal. It doesn't change for a file as long as its
    /// filesystem lives.
    public var text: String {
        var text = "\(type)."
        for index in 0..<min(Int(length), 128) {
            // The words hold the bytes as they lie in memory.
            let byte = UInt8(truncatingIfNeeded: words[index / 8].littleEndian >> UInt64(index % 8 * 8))
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }

    public static func == (left: FileHandle, right: FileHandle) -> Bool {
        guard left.length == right.length && left.type == right.type else { return false }
        for index in 0..<left.wordCount where left.words[index] != right.words[index] { return false }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        for index in 0..<wordCount { hasher.combine(words[index]) }
    }
}

extension FileDescriptor {
    /// The handle of this very object, which may be O_PATH. nil: the filesystem has none.
    public func fileHandle() throws(Errno) -> FileHandle? {
        do {
            return try FileHandle(of: rawValue)
        } catch .notSupported {
            return nil
        }
    }
}

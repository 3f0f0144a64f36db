internal import SystemPackage

/// Files of /proc and the like, read whole.
public enum SmallFile {
    /// The file's text without the newline at the end. nil: it can't be read.
    public static func text(_ path: String) -> String? {
        let name = OwnedName(path)
        guard let file = try? FileDescriptor.workingDirectory.openPlain(name.ref, flags: .readOnly),
            let bytes = try? file.descriptor.readToEnd()
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// The number that is the file's text. nil: the file can't be read, or isn't a number.
    public static func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0) }
    }
}

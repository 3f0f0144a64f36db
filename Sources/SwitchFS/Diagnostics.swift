import Glibc

/// What a command says on standard error.
public enum Diagnostics {
    /// Writes one line, with the program's name in front. Where standard error can't be written it is lost.
    public static func complain(_ message: String) {
        var bytes = Array("switchfs: \(message)\n".utf8)
        _ = unsafe bytes.withUnsafeMutableBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }

    /// The same of what stops nothing.
    static func warn(_ message: String) { complain("warning: \(message)") }
}

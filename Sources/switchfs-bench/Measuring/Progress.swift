import Glibc

/// What is going on, for who waits.
enum Progress {
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe write(2, bytes, bytes.count)
    }
}

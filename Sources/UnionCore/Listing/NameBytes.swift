internal import LinuxSystem

/// The bytes of many names in one array, one behind the other, each with a NUL.
struct NameBytes: Sendable {
    private var bytes: [UInt8] = []

    /// Where the next name begins.
    var end: Int { bytes.count }

    /// Adds a name. Returns where it begins.
    @discardableResult
    mutating func append(_ name: PathRef) -> Int {
        let start = end
        unsafe bytes.append(contentsOf: name.bytes)
        bytes.append(0)
        return start
    }

    /// Lends a name, by where it begins and how many bytes it has.
    func withName<R>(at start: Int, count: Int, _ body: (PathRef) -> R) -> R {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return body("") }
            let first = unsafe (base + start).assumingMemoryBound(to: CChar.self)
            return body(unsafe PathRef(unsafe: first, count: count))
        }
    }
}

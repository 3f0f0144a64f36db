import Glibc
import SystemPackage

/// A path as the kernel takes it: bytes, passed unchanged. No normalising, so that trailing slashes,
/// empty names and names that are not UTF-8 reach the file system as written.
public struct TestPath: Hashable, Sendable {
    public var bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// This path with one more part after a slash.
    public static func / (left: TestPath, right: TestPath) -> TestPath {
        if left.bytes.isEmpty { return right }
        return TestPath(bytes: left.bytes + [UInt8(ascii: "/")] + right.bytes)
    }

    public static func + (left: TestPath, right: String) -> TestPath {
        TestPath(bytes: left.bytes + Array(right.utf8))
    }

    /// All but the last component; empty for a single name.
    public var parent: TestPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return TestPath(bytes: Array(bytes[..<slash]))
    }

    public var name: TestPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return TestPath(bytes: Array(bytes[(slash + 1)...]))
    }

    /// For messages and for programs' arguments; bytes that are not UTF-8 are replaced.
    public var text: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Makes one call with the path as a C string and turns a negative answer into its error.
    @safe @discardableResult
    func call(_ body: (UnsafePointer<CChar>) -> Int) throws(Errno) -> Int {
        var terminated = bytes.map { CChar(bitPattern: $0) }
        terminated.append(0)
        let answer = unsafe terminated.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return -Int(EINVAL) }
            return unsafe body(base)
        }
        return try checked(answer)
    }
}

extension TestPath: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension TestPath: CustomStringConvertible {
    public var description: String { text }
}

extension TestPath: Comparable {
    public static func < (left: TestPath, right: TestPath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// The value of a raw call, or its error.
@discardableResult
func checked(_ answer: Int) throws(Errno) -> Int {
    if answer < 0 { throw Errno(rawValue: CInt(-answer)) }
    return answer
}

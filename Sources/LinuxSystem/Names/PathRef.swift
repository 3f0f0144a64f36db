internal import Glibc

/// Borrowed NUL-terminated bytes: one name, or a path relative to a layer's root. The empty one means the
/// descriptor with which it is used.
///
/// It is valid as long as what lends it (a request's buffer, an `OwnedName`, a `PathBuffer`), and is never
/// stored. A string literal makes one that lives for ever.
@safe public struct PathRef {
    /// The first byte. A NUL follows the last one.
    public let base: UnsafePointer<CChar>
    /// The number of bytes, without the NUL.
    public let count: Int

    /// Borrows `count` bytes at `base`. A NUL must follow them.
    @inlinable @inline(__always)
    @unsafe public init(unsafe base: UnsafePointer<CChar>, count: Int) {
        unsafe self.base = unsafe base
        self.count = count
    }

    /// Borrows the bytes up to the first NUL.
    @unsafe public init(cString: UnsafePointer<CChar>) {
        unsafe self.base = unsafe cString
        self.count = unsafe strlen(cString)
    }

    /// Names in source text live for ever.
    @inlinable @inline(__always)
    public init(_ literal: StaticString) {
        unsafe self.base = unsafe UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
        self.count = literal.utf8CodeUnitCount
    }

    @inlinable public var isEmpty: Bool { count == 0 }

    /// The byte at `index`, which must be in `0...count` (there is the NUL).
    @inlinable @inline(__always)
    public subscript(index: Int) -> UInt8 {
        assert(index >= 0 && index <= count)
        return unsafe UInt8(bitPattern: base[index])
    }

    /// The bytes, without the NUL.
    @inlinable public var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base, count: count)
    }

    /// A copy of the bytes, without the NUL.
    @inlinable public var array: [UInt8] { unsafe Array(bytes) }

    /// Lends the name with `prefix` in front.
    public func withPrefix<R>(_ prefix: PathRef, _ body: (PathRef) -> R) -> R {
        let length = prefix.count + count
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer in
            for index in 0..<prefix.count { unsafe buffer[index] = CChar(bitPattern: prefix[index]) }
            for index in 0...count { unsafe buffer[prefix.count + index] = CChar(bitPattern: self[index]) }
            guard let base = buffer.baseAddress else { return body("") }
            return body(unsafe PathRef(unsafe: base, count: length))
        }
    }

    /// The rest after the first `length` bytes. It is empty if there are no more.
    @inlinable
    public func dropFirst(_ length: Int) -> PathRef {
        let dropped = min(length, count)
        return unsafe PathRef(unsafe: base + dropped, count: count - dropped)
    }

    /// Lends the pointer, for C functions that take a path.
    @inlinable @inline(__always)
    public func withUnsafePointer<R: ~Copyable, E: Error>(
        _ body: (UnsafePointer<CChar>) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(base)
    }

    /// The bytes as a string, for logs and status only: it allocates, and repairs invalid UTF-8.
    public var string: String { unsafe String(decoding: bytes, as: UTF8.self) }
}

extension PathRef: ExpressibleByStringLiteral {
    @inlinable @inline(__always)
    public init(stringLiteral literal: StaticString) { self.init(literal) }
}

extension PathRef: CustomStringConvertible {
    public var description: String { string }
}

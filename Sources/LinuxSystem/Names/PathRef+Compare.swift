internal import Glibc

extension PathRef: Equatable {
    public static func == (left: PathRef, right: PathRef) -> Bool {
        unsafe left.count == right.count && memcmp(left.base, right.base, left.count) == 0
    }
}

extension PathRef {
    /// Whether the bytes start with those of `prefix`.
    public func hasPrefix(_ prefix: PathRef) -> Bool {
        unsafe count >= prefix.count && memcmp(base, prefix.base, prefix.count) == 0
    }

    /// Whether the bytes end with those of `suffix`.
    public func hasSuffix(_ suffix: PathRef) -> Bool {
        unsafe count >= suffix.count && memcmp(base + (count - suffix.count), suffix.base, suffix.count) == 0
    }

    /// Whether this is "." or "..".
    @inlinable public var isDots: Bool {
        switch count {
        case 1: self[0] == 0x2e
        case 2: self[0] == 0x2e && self[1] == 0x2e
        default: false
        }
    }

    /// Whether this is a path rather than a name.
    public var holdsSlash: Bool { unsafe memchr(base, 0x2f, count) != nil }

    /// Index of the last byte equal to `byte`, if any.
    public func lastIndex(of byte: UInt8) -> Int? {
        var index = count
        while index > 0 {
            index -= 1
            if self[index] == byte { return index }
        }
        return nil
    }

    /// A hash of the bytes, the same in every process of this machine's byte order; eight bytes a step.
    public var hash: UInt64 {
        let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15  // 2^64 over the golden ratio
        var hash = UInt64(truncatingIfNeeded: count) &* multiplier
        var index = 0
        while index + 8 <= count {
            let word = unsafe UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index, as: UInt64.self)
            hash = (hash ^ word) &* multiplier
            hash ^= hash >> 32
            index += 8
        }
        var tail: UInt64 = 0
        while index < count {
            tail = tail << 8 | UInt64(self[index])
            index += 1
        }
        hash = (hash ^ tail) &* multiplier
        return hash ^ hash >> 29
    }
}

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

    /// The index of the last byte equal to `byte`. nil: there is none.
    public func lastIndex(of byte: UInt8) -> Int? {
        var index = count
        while index > 0 {
            index -= 1
            if self[index] == byte { return index }
        }
        return nil
    }

    /// A hash of the bytes, eight of them a step. Each process has hashes of its own, so no user can make
    /// names with equal hashes on purpose.
    public var hash: UInt64 {
        let secret = hashSecret
        var hash = UInt64(truncatingIfNeeded: count) ^ secret.start
        var index = 0
        while index + 8 <= count {
            let word = unsafe UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index, as: UInt64.self)
            hash = secret.fold(hash ^ word)
            index += 8
        }
        var tail: UInt64 = 0
        while index < count {
            tail = tail << 8 | UInt64(self[index])
            index += 1
        }
        return secret.fold(hash ^ tail)
    }
}

private let hashSecret = HashSecret()

private struct HashSecret {
    let start = UInt64.random(in: 0 ... .max)
    private let factor = UInt64.random(in: 0 ... .max) | 1

    /// Folds both halves of the product. Without the factor no user knows which bits of the word move which
    /// bits of the result.
    @inline(__always)
    func fold(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: factor)
        return product.high ^ product.low
    }
}

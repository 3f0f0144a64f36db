/// A gitignore-style glob over a union path's bytes.
///
/// - `*` and `?` stand for anything but `/`, `[…]` for one byte of a set, `\` takes the next byte as it is.
/// - `**/` at the start: at any depth. `/**` at the end: everything inside. `/**/`: any number of directories.
/// - A pattern without a `/` (one at the end doesn't count) matches a name at any depth; with one, it is
///   anchored at the union's root.
/// - A `/` at the end: that directory and everything inside it.
///
/// Matching allocates nothing: it runs for each create and mkdir.
struct Glob: Sendable {
    enum Token: Sendable, Equatable {
        case byte(UInt8)
        /// `?`
        case anyByte
        case set(ByteSet)
        /// `*`: any number of bytes but `/`.
        case star
        /// `**/`: any number of whole directories, none included.
        case directories
        /// `**` at the end: everything that is left, at least one byte.
        case rest
    }

    let tokens: ContiguousArray<Token>
    /// The pattern ended in `/`.
    let matchesInside: Bool

}

/// What a glob matches against: a path as bytes, relative to the union's root.
protocol GlobSubject {
    var count: Int { get }
    subscript(index: Int) -> UInt8 { get }
}

extension Array: GlobSubject where Element == UInt8 {}

/// 256 bits, inline.
struct ByteSet: Sendable, Equatable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    mutating func invert() {
        words = (~words.0, ~words.1, ~words.2, ~words.3)
    }

    func contains(_ byte: UInt8) -> Bool {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        return switch byte >> 6 {
        case 0: words.0 & bit != 0
        case 1: words.1 & bit != 0
        case 2: words.2 & bit != 0
        default: words.3 & bit != 0
        }
    }

    static func == (set: ByteSet, other: ByteSet) -> Bool { set.words == other.words }
}

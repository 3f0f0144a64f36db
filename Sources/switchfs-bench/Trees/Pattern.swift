import SwitchTestKit

/// File contents that can be checked: each page repeats a word that follows from the file's seed and the
/// page's number.
enum Pattern {
    static let pageSize = 4096
    static let blockSize = 1 << 20

    static func word(page: Int, seed: Int) -> UInt64 {
        var random = SeededRandom(seed: UInt64(truncatingIfNeeded: seed &* 1_000_003 &+ page))
        return random.next()
    }

    /// So many bytes, from the beginning of that page on.
    static func bytes(_ count: Int, firstPage: Int, seed: Int) -> [UInt8] {
        var words: [UInt64] = []
        words.reserveCapacity(count / 8 + pageSize / 8)
        var page = firstPage
        while words.count * 8 < count {
            words.append(contentsOf: repeatElement(word(page: page, seed: seed), count: pageSize / 8))
            page += 1
        }
        return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
    }
}

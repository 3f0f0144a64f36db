/// Why a pattern is none, and the byte of the pattern where that shows.
struct GlobError: Error, Equatable {
    let message: String
    let offset: Int
}

extension Glob {
    init(_ pattern: String) throws(GlobError) {
        try self.init(Array(pattern.utf8))
    }

    init(_ pattern: [UInt8]) throws(GlobError) {
        var parser = GlobParser(pattern)
        tokens = try parser.parse()
        matchesInside = parser.endsInSlash
    }
}

/// One pass over a pattern's bytes.
struct GlobParser {
    private let pattern: ArraySlice<UInt8>
    private let anchored: Bool
    let endsInSlash: Bool
    private var position: Int
    private var tokens: ContiguousArray<Glob.Token> = []

    init(_ bytes: [UInt8]) {
        var pattern = bytes[...]
        let slash = UInt8(ascii: "/")
        let isEscaped = pattern.dropLast().last == UInt8(ascii: "\\")
        endsInSlash = pattern.count > 1 && pattern.last == slash && !isEscaped
        if endsInSlash { pattern = pattern.dropLast() }
        anchored = pattern.contains(slash)
        if pattern.first == slash { pattern = pattern.dropFirst() }
        self.pattern = pattern
        position = pattern.startIndex
    }

    mutating func parse() throws(GlobError) -> ContiguousArray<Glob.Token> {
        if pattern.isEmpty { throw failure("the pattern is empty") }
        if pattern.first == UInt8(ascii: "!") {
            throw failure("a rule can't be negated; put the exception in a rule before it, or write '\\!'")
        }
        if !anchored { tokens.append(.directories) }
        while position < pattern.endIndex { try parseOne() }
        return tokens
    }

    private mutating func parseOne() throws(GlobError) {
        let byte = pattern[position]
        switch byte {
        case UInt8(ascii: "*"): parseStars()
        case UInt8(ascii: "?"):
            position += 1
            tokens.append(.anyByte)
        case UInt8(ascii: "["): tokens.append(.set(try parseSet()))
        case UInt8(ascii: "\\"):
            guard position + 1 < pattern.endIndex else { throw failure("'\\' at the end takes nothing") }
            tokens.append(.byte(pattern[position + 1]))
            position += 2
        default:
            position += 1
            tokens.append(.byte(byte))
        }
    }

    /// `**` is special as a whole component only; elsewhere stars are one star.
    private mutating func parseStars() {
        let start = position
        while position < pattern.endIndex, pattern[position] == UInt8(ascii: "*") { position += 1 }
        let startsComponent = start == pattern.startIndex || pattern[start - 1] == UInt8(ascii: "/")
        guard position - start == 2, startsComponent else { return tokens.append(.star) }
        if position == pattern.endIndex {
            tokens.append(.rest)
        } else if pattern[position] == UInt8(ascii: "/") {
            position += 1
            if tokens.last != .directories { tokens.append(.directories) }
        } else {
            tokens.append(.star)
        }
    }

    private mutating func parseSet() throws(GlobError) -> ByteSet {
        let start = position
        position += 1
        var set = ByteSet()
        let negated = takeNegation()
        var isFirst = true
        while true {
            guard position < pattern.endIndex else {
                position = start
                throw failure("'[' without its ']'")
            }
            if pattern[position] == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            if try !parseClass(into: &set) { try parseRange(into: &set) }
        }
        position += 1
        if negated { set.invert() }
        return set
    }

    private mutating func takeNegation() -> Bool {
        guard position < pattern.endIndex else { return false }
        let byte = pattern[position]
        guard byte == UInt8(ascii: "!") || byte == UInt8(ascii: "^") else { return false }
        position += 1
        return true
    }

    private mutating func parseRange(into set: inout ByteSet) throws(GlobError) {
        let low = try takeSetByte()
        guard position + 1 < pattern.endIndex, pattern[position] == UInt8(ascii: "-"),
            pattern[position + 1] != UInt8(ascii: "]")
        else { return set.insert(low) }
        position += 1
        let high = try takeSetByte()
        guard low <= high else { throw failure("the range's end comes before its start") }
        for byte in low...high { set.insert(byte) }
    }

    private mutating func takeSetByte() throws(GlobError) -> UInt8 {
        if pattern[position] == UInt8(ascii: "\\") { position += 1 }
        guard position < pattern.endIndex else { throw failure("'[' without its ']'") }
        position += 1
        return pattern[position - 1]
    }

    /// `[:alpha:]` and its kin. False: none stands here.
    private mutating func parseClass(into set: inout ByteSet) throws(GlobError) -> Bool {
        guard pattern[position...].starts(with: "[:".utf8) else { return false }
        let rest = pattern[(position + 2)...]
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), colon + 1 < pattern.endIndex,
            pattern[colon + 1] == UInt8(ascii: "]")
        else { return false }
        let name = String(decoding: rest[..<colon], as: UTF8.self)
        guard let contains = Self.classes[name] else {
            throw failure("unknown class '[:\(name):]'")
        }
        for byte in UInt8(0)...127 where contains(byte) { set.insert(byte) }
        position = colon + 2
        return true
    }

    private func failure(_ message: String) -> GlobError {
        GlobError(message: message, offset: position)
    }

    private static let classes: [String: @Sendable (UInt8) -> Bool] = [
        "alnum": { isLetter($0) || isDigit($0) },
        "alpha": isLetter,
        "blank": { $0 == 9 || $0 == 32 },
        "cntrl": { $0 < 32 || $0 == 127 },
        "digit": isDigit,
        "graph": { $0 > 32 && $0 < 127 },
        "lower": { $0 >= 97 && $0 <= 122 },
        "print": { $0 >= 32 && $0 < 127 },
        "punct": { $0 > 32 && $0 < 127 && !isLetter($0) && !isDigit($0) },
        "space": { $0 == 32 || ($0 >= 9 && $0 <= 13) },
        "upper": { $0 >= 65 && $0 <= 90 },
        "xdigit": { isDigit($0) || ($0 | 32 >= 97 && $0 | 32 <= 102) },
    ]

    private static func isLetter(_ byte: UInt8) -> Bool { byte | 32 >= 97 && byte | 32 <= 122 }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}

/// Reads keys and values of TOML, one after the other, without ever going back.
struct TOMLScanner {
    private let text: [Unicode.Scalar]
    private var index = 0
    private(set) var place = TextPosition(line: 1, column: 1)

    /// Deeper than anything that makes sense, and far from what a stack can't hold.
    private static let mostNested = 16

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
        if next == "\u{feff}" { index = 1 }
    }

    // --- single characters

    /// nil: the end.
    var next: Unicode.Scalar? { index < text.count ? text[index] : nil }

    private func peek(_ distance: Int) -> Unicode.Scalar? {
        index + distance < text.count ? text[index + distance] : nil
    }

    mutating func skip() {
        guard let next else { return }
        index += 1
        if next == "\n" {
            place = TextPosition(line: place.line + 1, column: 1)
        } else {
            place.column += 1
        }
    }

    /// Skips the character where it is next.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        skip()
        return true
    }

    mutating func expect(_ scalar: Unicode.Scalar, _ what: String) throws(TOMLProblem) {
        guard take(scalar) else { throw problem("'\(scalar)' \(what), but \(seen) is there") }
    }

    func problem(_ message: String) -> TOMLProblem { TOMLProblem(place: place, message: message) }

    private var seen: String {
        switch next {
        case nil: "the end of the file"
        case "\n"?, "\r"?: "the end of the line"
        case let scalar? where scalar.properties.generalCategory == .control:
            "a control character"
        case let scalar?: "'\(scalar)'"
        }
    }

    // --- between things

    mutating func skipBlanks() {
        while next == " " || next == "\t" { skip() }
    }

    /// Skips a line's end; false where there is none.
    private mutating func takeNewline() -> Bool {
        if next == "\r", peek(1) == "\n" { skip() }
        return take("\n")
    }

    private mutating func skipComment() throws(TOMLProblem) {
        guard take("#") else { return }
        while let scalar = next, scalar != "\n" {
            if scalar == "\r", peek(1) == "\n" { return }
            try checkPrintable(scalar)
            skip()
        }
    }

    mutating func skipBlankLines() throws(TOMLProblem) {
        repeat {
            skipBlanks()
            try skipComment()
        } while takeNewline()
    }

    mutating func endLine() throws(TOMLProblem) {
        skipBlanks()
        try skipComment()
        guard next == nil || takeNewline() else {
            throw problem("the line should end here, but \(seen) follows")
        }
    }

    private func checkPrintable(_ scalar: Unicode.Scalar) throws(TOMLProblem) {
        if scalar.value < 0x20 && scalar != "\t" || scalar.value == 0x7f {
            throw problem("control characters must be written as escapes")
        }
    }

    // --- keys

    /// `key = value`, whose key may be dotted.
    mutating func readEntry(depth: Int = 0) throws(TOMLProblem) -> TOMLEntry {
        let start = place
        let keys = try readKeys()
        try expect("=", "and a value follow a key")
        skipBlanks()
        var value = try readValue(depth: depth)
        if keys.count > 1 { value.kind = .other }
        return TOMLEntry(key: keys[0], place: start, value: value)
    }

    /// One or more, with dots between them; blanks behind are skipped.
    mutating func readKeys() throws(TOMLProblem) -> [String] {
        var keys: [String] = []
        repeat {
            skipBlanks()
            keys.append(try readKey())
            skipBlanks()
        } while take(".")
        return keys
    }

    private mutating func readKey() throws(TOMLProblem) -> String {
        if next == "\"" || next == "'" { return try readString(mayHaveLines: false) }
        let key = readWhile(Self.isBare)
        if key.isEmpty { throw problem("a key should be here, but \(seen) is") }
        return key
    }

    private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }

    private mutating func readWhile(_ belongs: (Unicode.Scalar) -> Bool) -> String {
        var result = String.UnicodeScalarView()
        while let scalar = next, belongs(scalar) {
            result.append(scalar)
            skip()
        }
        return String(result)
    }

    // --- values

    private mutating func readValue(depth: Int) throws(TOMLProblem) -> TOMLValue {
        if depth > Self.mostNested { throw problem("nested too deep") }
        let start = place
        let kind: TOMLValue.Kind =
            switch next {
            case "\""?, "'"?: .string(try readString(mayHaveLines: true))
            case "["?: .list(try readList(depth: depth))
            case "{"?: .table(try readTable(depth: depth))
            default: try readPlain()
            }
        return TOMLValue(place: start, kind: kind)
    }

    private mutating func readList(depth: Int) throws(TOMLProblem) -> [TOMLValue] {
        skip()
        var values: [TOMLValue] = []
        while true {
            try skipBlankLines()
            if take("]") { return values }
            values.append(try readValue(depth: depth + 1))
            try skipBlankLines()
            if take(",") { continue }
            try expect("]", "closes a list")
            return values
        }
    }

    private mutating func readTable(depth: Int) throws(TOMLProblem) -> [TOMLEntry] {
        skip()
        skipBlanks()
        var entries: [TOMLEntry] = []
        if take("}") { return entries }
        while true {
            skipBlanks()
            try readEntry(depth: depth + 1).join(&entries)
            skipBlanks()
            if take(",") { continue }
            try expect("}", "closes a table")
            return entries
        }
    }

    /// A number, a date or a truth value.
    private mutating func readPlain() throws(TOMLProblem) -> TOMLValue.Kind {
        let start = place
        let word = readWhile { Self.isBare($0) || $0 == "+" || $0 == "." || $0 == ":" }
        if let number = TOMLNumber.integer(word) { return .integer(number) }
        let first = word.unicodeScalars.first { $0 != "+" && $0 != "-" }
        let isNumber = first.map { ("0"..."9").contains($0) } ?? false
        if isNumber || ["true", "false", "inf", "nan"].contains(word.filter { $0 != "+" && $0 != "-" }) {
            return .other
        }
        let found = word.isEmpty ? seen : "'\(word)'"
        throw TOMLProblem(
            place: start, message: "a value should be here, but \(found) is; a string needs quotes")
    }

    // --- strings

    private mutating func readString(mayHaveLines: Bool) throws(TOMLProblem) -> String {
        guard let quote = next else { throw problem("a string should be here") }
        skip()
        guard next == quote else { return try readString(quote, hasLines: false) }
        skip()
        guard next == quote else { return "" }
        guard mayHaveLines else { throw problem("a key can't be a text of several lines") }
        skip()
        _ = takeNewline()
        return try readString(quote, hasLines: true)
    }

    /// What follows the opening quotes, and the closing ones.
    private mutating func readString(_ quote: Unicode.Scalar, hasLines: Bool) throws(TOMLProblem) -> String {
        var result = String.UnicodeScalarView()
        while let scalar = next {
            if scalar == quote {
                if !hasLines {
                    skip()
                    return String(result)
                }
                if takeClosing(quote, &result) { return String(result) }
            } else if scalar == "\\", quote == "\"" {
                skip()
                if hasLines, skipFoldedLines() { continue }
                result.append(try readEscape())
            } else if scalar == "\n" || scalar == "\r" && peek(1) == "\n" {
                guard hasLines else { throw problem("a string ends in its line, with \(quote)") }
                result.append(scalar)
                skip()
            } else {
                try checkPrintable(scalar)
                result.append(scalar)
                skip()
            }
        }
        throw problem("the file ends in a string")
    }

    /// Three quotes close a text of several lines; up to two before them belong to it.
    private mutating func takeClosing(_ quote: Unicode.Scalar, _ text: inout String.UnicodeScalarView) -> Bool
    {
        var count = 0
        while count < 5, take(quote) { count += 1 }
        for _ in 0..<(count < 3 ? count : count - 3) { text.append(quote) }
        return count >= 3
    }

    /// A backslash at a line's end takes all blanks and line ends that follow.
    private mutating func skipFoldedLines() -> Bool {
        let (oldIndex, oldPlace) = (index, place)
        skipBlanks()
        guard takeNewline() else {
            (index, place) = (oldIndex, oldPlace)
            return false
        }
        repeat { skipBlanks() } while takeNewline()
        return true
    }

    /// What follows a backslash.
    private mutating func readEscape() throws(TOMLProblem) -> Unicode.Scalar {
        let start = place
        let letter = next
        skip()
        switch letter {
        case "b"?: return "\u{8}"
        case "t"?: return "\t"
        case "n"?: return "\n"
        case "f"?: return "\u{c}"
        case "r"?: return "\r"
        case "\""?: return "\""
        case "\\"?: return "\\"
        case "u"?: return try readScalar(digits: 4)
        case "U"?: return try readScalar(digits: 8)
        default:
            throw TOMLProblem(
                place: start, message: "no such escape; a string in '…' takes backslashes as they are")
        }
    }

    private mutating func readScalar(digits: Int) throws(TOMLProblem) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = hexadecimal(next) else {
                throw problem("\(digits) hexadecimal digits should be here")
            }
            value = value << 4 | digit
            skip()
        }
        guard let scalar = Unicode.Scalar(value) else { throw problem("there is no such Unicode character") }
        return scalar
    }

    private func hexadecimal(_ scalar: Unicode.Scalar?) -> UInt32? {
        switch scalar {
        case let scalar? where ("0"..."9").contains(scalar): scalar.value - 0x30
        case let scalar? where ("a"..."f").contains(scalar): scalar.value - 0x57
        case let scalar? where ("A"..."F").contains(scalar): scalar.value - 0x37
        default: nil
        }
    }
}

/// Whole numbers as TOML writes them.
enum TOMLNumber {
    /// nil: it is none, or larger than 64 bits.
    static func integer(_ word: String) -> Int? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            guard let digits = digits(word.dropFirst(2)), !digits.hasPrefix("+"), !digits.hasPrefix("-")
            else {
                return nil
            }
            return Int(digits, radix: radix)
        }
        let sign = word.prefix { $0 == "+" || $0 == "-" }
        guard sign.count <= 1, let digits = digits(word.dropFirst(sign.count)) else { return nil }
        if digits.count > 1 && digits.hasPrefix("0") { return nil }
        return Int(sign + digits)
    }

    /// Without the underscores, each of which stands between two digits.
    private static func digits(_ word: Substring) -> String? {
        let parts = word.split(separator: "_", omittingEmptySubsequences: false)
        if parts.contains(where: \.isEmpty) { return nil }
        return parts.joined()
    }
}

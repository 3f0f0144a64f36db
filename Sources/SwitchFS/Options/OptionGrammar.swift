/// The grammar of `-o`: items separated by `,`, a name before the first `=`, layers separated by `:`.
///
/// `\:`, `\,`, `\=` and `\\` stand for the character itself. A backslash before anything else is a backslash,
/// as in a path that holds one.
package enum OptionGrammar {
    private static let backslash = UInt8(ascii: "\\")

    /// Splits at every `separator` that is not escaped; the pieces keep their escapes.
    package static func split(_ text: Substring, at separator: Character) -> [Substring] {
        var pieces: [Substring] = []
        var start = text.startIndex
        for cut in unescapedPositions(of: separator, in: text) {
            pieces.append(text[start..<cut])
            start = text.utf8.index(after: cut)
        }
        pieces.append(text[start...])
        return pieces
    }

    /// An item's name and its value; no `=`: no value. The value keeps its escapes.
    static func nameAndValue(of item: Substring) -> (name: String, value: Substring?) {
        guard let equals = firstUnescaped("=", in: item) else { return (unescape(item), nil) }
        return (unescape(item[..<equals]), item[item.utf8.index(after: equals)...])
    }

    /// Where the first `character` stands that no backslash takes.
    static func firstUnescaped(_ character: Character, in text: Substring) -> Substring.Index? {
        unescapedPositions(of: character, in: text).first
    }

    /// Where the last `character` stands that no backslash takes.
    static func lastUnescaped(_ character: Character, in text: Substring) -> Substring.Index? {
        unescapedPositions(of: character, in: text).last
    }

    /// Works on UTF-8: a separator followed by a combining mark is a separator all the same.
    private static func unescapedPositions(
        of character: Character, in text: Substring
    ) -> [Substring.Index] {
        guard let wanted = character.asciiValue else { return [] }
        var positions: [Substring.Index] = []
        var escaped = false
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if escaped {
                escaped = false
            } else if byte == backslash {
                escaped = true
            } else if byte == wanted {
                positions.append(index)
            }
        }
        return positions
    }

    /// Takes the escapes away.
    package static func unescape(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var pending = false
        for byte in text.utf8 {
            if pending {
                if !isEscapable(byte) { bytes.append(backslash) }
                bytes.append(byte)
                pending = false
            } else if byte == backslash {
                pending = true
            } else {
                bytes.append(byte)
            }
        }
        if pending { bytes.append(backslash) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Puts escapes before what the grammar would take as its own: a path so written comes back unchanged.
    package static func escape(_ path: String) -> String {
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            if isEscapable(byte) { bytes.append(backslash) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isEscapable(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=")
            || byte == backslash
    }
}

/// A place in a text, counted from 1; columns are characters.
struct TextPosition: Equatable {
    var line: Int
    var column: Int
}

/// Finds where a rule's key stands, for error messages: the TOML parser hands out values without their places.
///
/// It knows the plain form, `[[rule]]` headers with a `key = value` a line. In other forms it answers with the
/// first place where the word stands.
struct RulesLocator {
    private let lines: [Substring]

    init(_ text: String) {
        lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    }

    /// Where the header of the rule with this index stands.
    func rule(_ index: Int) -> TextPosition {
        guard let line = headerLine(index) else { return occurrence(of: "rule") }
        return TextPosition(line: line + 1, column: indentation(of: lines[line]) + 1)
    }

    func key(_ key: String, inRule index: Int) -> TextPosition {
        guard let line = keyLine(key, inRule: index) else { return occurrence(of: key) }
        return TextPosition(line: line + 1, column: indentation(of: lines[line]) + 1)
    }

    func value(of key: String, inRule index: Int) -> TextPosition {
        guard let line = keyLine(key, inRule: index), let equals = lines[line].firstIndex(of: "=") else {
            return occurrence(of: key)
        }
        let text = lines[line]
        let value = text[text.index(after: equals)...]
        let column = text.distance(from: text.startIndex, to: value.startIndex) + indentation(of: value)
        return TextPosition(line: line + 1, column: column + 1)
    }

    /// The first place where the word stands; the start of the file when nowhere.
    func occurrence(of word: String) -> TextPosition {
        for (number, line) in lines.enumerated() {
            var rest = line
            while rest.count >= word.count {
                if rest.hasPrefix(word) {
                    let column = line.distance(from: line.startIndex, to: rest.startIndex)
                    return TextPosition(line: number + 1, column: column + 1)
                }
                rest = rest.dropFirst()
            }
        }
        return TextPosition(line: 1, column: 1)
    }

    private func headerLine(_ index: Int) -> Int? {
        var seen = -1
        for (number, line) in lines.enumerated() where isHeader(line) {
            seen += 1
            if seen == index { return number }
        }
        return nil
    }

    private func keyLine(_ key: String, inRule index: Int) -> Int? {
        guard let header = headerLine(index) else { return nil }
        for number in lines.indices.dropFirst(header + 1) {
            let line = lines[number]
            if isHeader(line) { return nil }
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = line[..<equals].filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
            if name == key { return number }
        }
        return nil
    }

    private func isHeader(_ line: Substring) -> Bool {
        let squeezed = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
        return squeezed == "[[rule]]"
    }

    private func indentation(of text: Substring) -> Int {
        text.prefix { $0.isWhitespace }.count
    }
}

import UnionCore

/// Reading one option's value; every error names the option, the value and what would be right.
extension MountOptions {
    static func required(_ name: String, _ value: Substring?) throws(MountError) -> Substring {
        guard let value, !value.isEmpty else {
            throw .usage("option '\(name)' needs a value: \(name)=…")
        }
        return value
    }

    static func text(_ name: String, _ value: Substring?) throws(MountError) -> String {
        OptionGrammar.unescape(try required(name, value))
    }

    /// An option that takes no value.
    static func flag(_ name: String, _ value: Substring?, _ meaning: Bool) throws(MountError) -> Bool {
        guard value == nil else { throw .usage("option '\(name)' takes no value") }
        return meaning
    }

    /// One of an enumeration's cases, by its raw value.
    static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ value: Substring?, also: [String] = []
    ) throws(MountError) -> Choice {
        let word = try text(name, value)
        guard let choice = Choice(rawValue: word) else {
            throw unknown(word, of: name, known: also + Choice.allCases.map(\.rawValue))
        }
        return choice
    }

    static func word<Meaning>(
        _ name: String, _ value: Substring?, among meanings: KeyValuePairs<String, Meaning>
    ) throws(MountError) -> Meaning {
        let word = try text(name, value)
        for (known, meaning) in meanings where known == word { return meaning }
        throw unknown(word, of: name, known: meanings.map(\.key))
    }

    static func createPolicy(_ name: String, _ value: Substring?) throws(MountError) -> CreatePolicy {
        try word(name, value, among: ["upper": .upper, "lower": .lower, "fallback": .fallback])
    }

    static func seconds(_ name: String, _ value: Substring?) throws(MountError) -> Double {
        let word = try text(name, value)
        guard let seconds = Double(word), seconds.isFinite, seconds >= 0 else {
            throw .usage("option '\(name)': '\(word)' is no number of seconds")
        }
        return seconds
    }

    private static func unknown(_ word: String, of name: String, known: [String]) -> MountError {
        .usage("option '\(name)': unknown value '\(word)'; known: \(known.joined(separator: ", "))")
    }
}

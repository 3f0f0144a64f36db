import ArgumentParser

/// Words of a comma-separated option. A word may end with `*`.
enum Choice {
    /// Those of `all` that are chosen, in the order of `all`; all of them for no words.
    static func pick<Value>(
        _ words: String?, of all: [Value], kind: String, name: (Value) -> String
    ) throws -> [Value] {
        guard let words else { return all }
        let wanted = words.split(separator: ",").map(String.init)
        for word in wanted where !all.contains(where: { matches(word, name($0)) }) {
            throw ValidationError("no \(kind) is called '\(word)'; --list shows them")
        }
        return all.filter { value in wanted.contains { matches($0, name(value)) } }
    }

    private static func matches(_ word: String, _ name: String) -> Bool {
        word.hasSuffix("*") ? name.hasPrefix(word.dropLast()) : word == name
    }
}

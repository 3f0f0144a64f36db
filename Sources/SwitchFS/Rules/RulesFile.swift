import UnionCore

/// Reads a rules file's text. Each error is one line: file, line, column, what is wrong, what would be right.
package struct RulesFile {
    let name: String
    let text: String
    /// How many layers the union has; a rule can name no other one.
    let layerCount: Int

    /// `name` is for errors.
    package init(name: String, text: String, layerCount: Int) {
        self.name = name
        self.text = text
        self.layerCount = layerCount
    }

    package func selector() throws(MountError) -> RuleSelector {
        let entries = try parse()
        for entry in entries where entry.key != "rule" {
            throw error(at: entry.place, "unknown key '\(entry.key)'; a file holds [[rule]] tables")
        }
        guard let rules = entries.first else { return RuleSelector(rules: []) }
        guard let list = rules.value.list else {
            throw error(at: rules.place, "'rule' is no list; write [[rule]]")
        }
        var read: ContiguousArray<RuleSelector.Rule> = []
        for item in list {
            guard let table = item.table else {
                throw error(at: item.place, "'rule' must hold tables; write [[rule]]")
            }
            read.append(try rule(table, at: item.place))
        }
        return RuleSelector(rules: read)
    }

    private func parse() throws(MountError) -> [TOMLEntry] {
        if text.utf8.contains(0) {
            throw .failure("rules file \(name): holds a NUL byte; a rules file is TOML text")
        }
        do throws(TOMLProblem) {
            return try TOMLText.read(text)
        } catch {
            throw self.error(at: error.place, error.message)
        }
    }

    private func rule(_ entries: [TOMLEntry], at place: TextPosition) throws(MountError) -> RuleSelector.Rule
    {
        let known = ["path", "create", "mkdir", "read"]
        for entry in entries where !known.contains(entry.key) {
            throw error(
                at: entry.place, "unknown key '\(entry.key)'; a rule has \(known.joined(separator: ", "))")
        }
        func value(_ key: String) -> TOMLValue? { entries.first { $0.key == key }?.value }
        var rule = RuleSelector.Rule(glob: try glob(value("path"), of: place))
        rule.create = try createPolicy("create", value("create"))
        rule.mkdir = try createPolicy("mkdir", value("mkdir"))
        rule.read = try readPolicy(value("read"))
        return rule
    }

    private func glob(_ value: TOMLValue?, of rule: TextPosition) throws(MountError) -> Glob {
        guard let value else { throw error(at: rule, "the rule has no path; add path = \"GLOB\"") }
        guard let pattern = value.string else { throw error(at: value.place, "path must be a string") }
        do throws(GlobError) {
            return try Glob(pattern)
        } catch let problem {
            var place = value.place
            // One more for the quote; right wherever the pattern is written without escapes.
            place.column += problem.offset + 1
            throw error(at: place, "path: \(problem.message)")
        }
    }

    private func createPolicy(_ key: String, _ value: TOMLValue?) throws(MountError) -> CreatePolicy? {
        guard let value else { return nil }
        switch value.string {
        case "upper": return .upper
        case "lower": return .lower
        case "fallback": return .fallback
        case "deny": return .deny
        default: return .layer(try layer(value, key, words: "upper, lower, fallback, deny"))
        }
    }

    private func readPolicy(_ value: TOMLValue?) throws(MountError) -> ReadPolicy? {
        guard let value else { return nil }
        switch value.string {
        case "upper-first": return .upperFirst
        case "lower-first": return .lowerFirst
        default: return .layer(try layer(value, "read", words: "upper-first, lower-first"))
        }
    }

    /// A layer's number, as an integer or as a string that holds one.
    private func layer(_ value: TOMLValue, _ key: String, words: String) throws(MountError) -> Int {
        guard let number = value.integer ?? value.string.flatMap({ Int($0) }) else {
            let written = value.string.map { "unknown value '\($0)'" } ?? "wrong kind of value"
            throw error(at: value.place, "\(key): \(written); known: \(words), a layer's number")
        }
        guard (0..<layerCount).contains(number) else {
            throw error(
                at: value.place, "\(key): there is no layer \(number); the last one is \(layerCount - 1)")
        }
        return number
    }

    private func error(at place: TextPosition, _ message: String) -> MountError {
        .failure("rules file \(name): line \(place.line), column \(place.column): \(Self.oneLine(message))")
    }

    /// A value that is quoted may hold line ends.
    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

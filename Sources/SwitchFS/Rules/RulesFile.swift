import TOMLKit
import UnionCore

/// Reads a rules file's text. Each error is one line: file, line, column, what is wrong, what would be right.
struct RulesFile {
    let name: String
    let text: String
    /// How many layers the union has; a rule can name no other one.
    let layerCount: Int

    func selector() throws(MountError) -> RuleSelector {
        let table = try parse()
        for key in table.keys.sorted() where key != "rule" {
            throw error(at: locator.occurrence(of: key), "unknown key '\(key)'; a file holds [[rule]] tables")
        }
        guard let rules = table["rule"] else { return RuleSelector(rules: []) }
        guard let list = rules.array else {
            throw error(at: locator.occurrence(of: "rule"), "'rule' is no list; write [[rule]]")
        }
        var read: ContiguousArray<RuleSelector.Rule> = []
        for (index, item) in list.enumerated() {
            guard let table = item.table else {
                throw error(at: locator.rule(index), "'rule' must hold tables; write [[rule]]")
            }
            read.append(try rule(index, table))
        }
        return RuleSelector(rules: read)
    }

    private var locator: RulesLocator { RulesLocator(text) }

    private func parse() throws(MountError) -> TOMLTable {
        // The parser takes a C string: it would see nothing after a NUL.
        if text.utf8.contains(0) {
            throw .failure("rules file \(name): holds a NUL byte; a rules file is TOML text")
        }
        do {
            return try TOMLTable(string: text)
        } catch let problem as TOMLParseError {
            let place = TextPosition(line: problem.source.begin.line, column: problem.source.begin.column)
            throw error(at: place, Self.oneLine(problem.description))
        } catch {
            throw .failure("rules file \(name): not TOML")
        }
    }

    private func rule(_ index: Int, _ table: TOMLTable) throws(MountError) -> RuleSelector.Rule {
        let known = ["path", "create", "mkdir", "read"]
        for key in table.keys.sorted() where !known.contains(key) {
            throw error(
                at: locator.key(key, inRule: index),
                "unknown key '\(key)'; a rule has \(known.joined(separator: ", "))")
        }
        var rule = RuleSelector.Rule(glob: try glob(index, table))
        rule.create = try createPolicy("create", index, table)
        rule.mkdir = try createPolicy("mkdir", index, table)
        rule.read = try readPolicy(index, table)
        return rule
    }

    private func glob(_ index: Int, _ table: TOMLTable) throws(MountError) -> Glob {
        guard let value = table["path"] else {
            throw error(at: locator.rule(index), "the rule has no path; add path = \"GLOB\"")
        }
        guard let pattern = value.string else {
            throw error(at: locator.value(of: "path", inRule: index), "path must be a string")
        }
        do throws(GlobError) {
            return try Glob(pattern)
        } catch let problem {
            var place = locator.value(of: "path", inRule: index)
            // One more for the quote; right wherever the pattern is written without escapes.
            place.column += problem.offset + 1
            throw error(at: place, "path: \(problem.message)")
        }
    }

    private func createPolicy(
        _ key: String, _ index: Int, _ table: TOMLTable
    ) throws(MountError) -> CreatePolicy? {
        guard let value = table[key] else { return nil }
        switch value.string {
        case "upper": return .upper
        case "lower": return .lower
        case "fallback": return .fallback
        case "deny": return .deny
        default:
            let layer = try layer(value, key, index, words: "upper, lower, fallback, deny")
            return .layer(layer)
        }
    }

    private func readPolicy(_ index: Int, _ table: TOMLTable) throws(MountError) -> ReadPolicy? {
        guard let value = table["read"] else { return nil }
        switch value.string {
        case "upper-first": return .upperFirst
        case "lower-first": return .lowerFirst
        default: return .layer(try layer(value, "read", index, words: "upper-first, lower-first"))
        }
    }

    /// A layer's number, as an integer or as a string that holds one.
    private func layer(
        _ value: any TOMLValueConvertible, _ key: String, _ index: Int, words: String
    ) throws(MountError) -> Int {
        let place = locator.value(of: key, inRule: index)
        guard let number = value.int ?? value.string.flatMap({ Int($0) }) else {
            let written = value.string.map { "unknown value '\($0)'" } ?? "wrong kind of value"
            throw error(at: place, "\(key): \(written); known: \(words), a layer's number")
        }
        guard (0..<layerCount).contains(number) else {
            throw error(at: place, "\(key): there is no layer \(number); the last one is \(layerCount - 1)")
        }
        return number
    }

    private func error(at place: TextPosition, _ message: String) -> MountError {
        .failure("rules file \(name): line \(place.line), column \(place.column): \(message)")
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

import SwitchTestKit
import SystemPackage
import Testing

/// Who may call whom inside the engine, as docs/architecture.md says.
@Suite struct FloorsTests {
    /// The folders of the engine, the lowest first, out of the table in docs/architecture.md.
    private func floors() throws -> [String] {
        let text = try Sys.text(package / "docs/architecture.md")
        let rows = text.split(separator: "\n").drop { $0 != "| floor | what is in it | type |" }.dropFirst(2)
        return rows.prefix { $0.hasPrefix("| `") }.compactMap { row in
            row.dropFirst(3).split(separator: "/").first.map(String.init)
        }
    }

    private func sources(_ module: String) throws(Errno) -> [Source] {
        try PackageTests.sources(below: package / TestPath("Sources/\(module)"))
    }

    /// The lowest floors know nothing of the higher ones, not even a name.
    @Test func noFloorNamesATypeOfAHigherOne() throws {
        let floors = try floors()
        #expect(floors.count > 10)
        let sources = try sources("UnionCore").filter { $0.folder != "" && $0.folder != "Testing" }
        #expect(Set(sources.map(\.folder)) == Set(floors))
        var homes: [Substring: Int] = ["Union": floors.count - 2]
        for source in sources {
            guard let floor = floors.firstIndex(of: source.folder) else { continue }
            for name in declaredTypes(in: source.text) { homes[name] = floor }
        }
        for source in sources {
            guard let floor = floors.firstIndex(of: source.folder) else { continue }
            for name in namedTypes(in: source.text) where homes[name] ?? 0 > floor {
                Issue.record("\(source.folder)/\(source.name) names \(name), which is above it")
            }
        }
    }

    /// Nor do they call what a higher floor adds to one of their types.
    @Test func noFloorCallsWhatAHigherOneAdds() throws {
        let floors = try floors()
        let sources = try sources("UnionCore").filter { floors.contains($0.folder) }
        var declared: [Substring: Int] = [:]
        var added: [Substring: (floor: Int, file: String)] = [:]
        let below = try self.sources("LinuxSystem").map { Source(folder: "", name: $0.name, text: $0.text) }
        for source in sources + below {
            let floor = floors.firstIndex(of: source.folder)
            var isExtension = false
            for line in source.text.split(separator: "\n") {
                let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                if line.first?.isLetter == true {
                    isExtension = words.contains("extension") && !words.contains("Union")
                }
                guard let keyword = words.firstIndex(of: "func"), keyword + 1 < words.count else { continue }
                declared[words[keyword + 1], default: 0] += 1
                if let floor, isExtension, !words.contains("private"), !words.contains("fileprivate") {
                    added[words[keyword + 1]] = (floor, source.name)
                }
            }
        }
        // A name that stands for several things can't be told apart by a test that reads.
        for (name, home) in added where declared[name] == 1 {
            for source in sources where floors.firstIndex(of: source.folder) ?? 0 < home.floor {
                if source.text.contains(".\(name)(") {
                    Issue.record(
                        "\(source.folder)/\(source.name) calls \(name) of \(home.file), which is above it")
                }
            }
        }
    }

    /// A request's operation has one file on the wire's side and one on the engine's, which may have further parts.
    @Test func bothSidesHaveTheSameOperations() throws {
        func operations(_ module: String) throws -> Set<Substring> {
            Set(
                try sources(module).filter { $0.folder == "Operations" }.map { source in
                    source.name.prefix { $0 != "." && $0 != "+" }
                })
        }
        #expect(try operations("UnionCore") == operations("FuseServer"))
    }

    private func declaredTypes(in text: String) -> [Substring] {
        var found: [Substring] = []
        for line in text.split(separator: "\n") where line.first?.isLetter == true {
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            guard !words.contains("private"), !words.contains("fileprivate"),
                let kind = words.firstIndex(where: { ["class", "struct", "enum", "protocol"].contains($0) }),
                kind + 1 < words.count
            else { continue }
            found.append(words[kind + 1])
        }
        return found
    }

    /// Words that may be types: in capitals, in no comment and no text, and no member of another.
    private func namedTypes(in text: String) -> Set<Substring> {
        var found: Set<Substring> = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() where index.isMultiple(of: 2) {
                let code = part.firstRange(of: "//").map { part[..<$0.lowerBound] } ?? part
                var before: Character = " "
                var start: Substring.Index?
                for position in code.indices + [code.endIndex] {
                    let isWord =
                        position < code.endIndex && (code[position].isLetter || code[position].isNumber)
                    if isWord, start == nil {
                        start = position
                        before = position > code.startIndex ? code[code.index(before: position)] : " "
                    } else if !isWord, let begun = start {
                        let word = code[begun..<position]
                        if before != ".", word.first?.isUppercase == true { found.insert(word) }
                        start = nil
                    }
                }
                if code.endIndex != part.endIndex { break }
            }
        }
        return found
    }
}

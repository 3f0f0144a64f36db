import SwitchTestKit
import SystemPackage
import Testing

/// The table of modules in `docs/architecture.md` says what the sources import, no more and no less.
@Suite struct ImportTableTests {
    /// A line of the table.
    private struct Module {
        let name: String
        let directory: String
        let imports: Set<String>
    }

    @Test func modulesImportWhatTheTableSays() throws {
        for module in try table() {
            let found = try imports(below: package / TestPath(module.directory))
            let (missing, extra) = (found.subtracting(module.imports), module.imports.subtracting(found))
            #expect(missing == [], "\(module.name) imports what the table doesn't say")
            #expect(extra == [], "\(module.name) doesn't import what the table says")
        }
    }

    @Test func everyModuleIsInTheTable() throws {
        let told = Set(try table().map(\.directory))
        let there = Set(try Sys.names(package / "Sources").map { "Sources/\($0.text)" })
        #expect(told == there)
    }

    private func table() throws -> [Module] {
        let lines = try Sys.text(package / "docs/architecture.md").split(separator: "\n")
        let below = lines.drop { !$0.hasPrefix("| module | imports |") }.dropFirst(2)
        let modules = below.prefix { $0.hasPrefix("|") }.compactMap { row -> Module? in
            let cells = row.dropFirst().split(separator: "|", omittingEmptySubsequences: false)
            let names = quoted(cells[0])
            guard let name = names.first, cells.count > 1 else { return nil }
            return Module(
                name: name, directory: names.count > 1 ? names[1] : "Sources/\(name)",
                imports: Set(quoted(cells[1])))
        }
        try #require(!modules.isEmpty, "no table in docs/architecture.md")
        return modules
    }

    /// What stands between backticks.
    private func quoted(_ text: Substring) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}

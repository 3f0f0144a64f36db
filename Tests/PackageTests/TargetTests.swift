import SwitchTestKit
import SystemPackage
import Testing

/// The targets in `Package.swift`.
@Suite struct TargetTests {
    private struct Target {
        let name: String
        let directory: String
        let dependencies: Set<String>
    }

    /// The compiler's check (`--explicit-target-dependency-import-check`) lets through what a dependency depends on.
    @Test func targetsDependOnWhatTheyImport() throws {
        let targets = try targets()
        let own = Set(targets.map { moduleName($0.name) })
        let others: Set = ["ArgumentParser", "Logging", "SystemPackage"]
        for target in targets {
            let imported = try imports(below: package / TestPath(target.directory))
            // C has includes.
            if imported.isEmpty { continue }
            #expect(
                imported.intersection(own.union(others)) == Set(target.dependencies.map(moduleName)),
                "\(target.name) is to depend on what it imports")
        }
    }

    @Test func noProductNeedsWhatIsBelowTests() throws {
        let targets = Dictionary(uniqueKeysWithValues: try targets().map { ($0.name, $0) })
        var needed = Set(try products())
        var todo = Array(needed)
        try #require(!needed.isEmpty)
        while let target = todo.popLast().flatMap({ targets[$0] }) {
            #expect(target.directory.hasPrefix("Sources/"), "\(target.name) is in \(target.directory)")
            for name in target.dependencies where targets[name] != nil && needed.insert(name).inserted {
                todo.append(name)
            }
        }
    }

    /// A disk that ignores case would mix them up.
    @Test func noTwoDirectoriesDifferByCaseOnly() throws {
        let directories = try targets().map { $0.directory.lowercased() }
        #expect(Set(directories).count == directories.count)
    }

    private func products() throws -> [String] {
        let text = try Sys.text(package / "Package.swift")
        return text.matches(of: #/targets: \[(".*?")\]/#).flatMap { strings($0.1) }
    }

    private func targets() throws -> [Target] {
        let text = try Sys.text(package / "Package.swift")
        let call = #/\.(target|executableTarget|testTarget|systemLibrary)\(\s*name: /#
        let calls = text.split(separator: call)
        return try calls.dropFirst().map { call in
            let name = try #require(strings(call).first)
            let list = call.firstMatch(of: #/dependencies: \[([^\]]*)\]/#)?.1 ?? ""
            let path = call.firstMatch(of: #/path: "(.*?)"/#)?.1
            let isTest = name.hasSuffix("Tests")
            return Target(
                name: name, directory: path.map(String.init) ?? "\(isTest ? "Tests" : "Sources")/\(name)",
                dependencies: Set(strings(list) + products(of: list)))
        }
    }

    /// Other packages' products have names of their own at the top of `Package.swift`.
    private func products(of list: Substring) -> [String] {
        let names = ["argumentParser": "ArgumentParser", "logging": "Logging", "system": "SystemPackage"]
        return list.split(separator: #/[^A-Za-z"]+/#).compactMap { names[String($0)] }
    }

    private func strings(_ text: Substring) -> [String] {
        text.matches(of: #/"(.*?)"/#).map { String($0.1) }
    }

    private func moduleName(_ target: String) -> String {
        String(target.map { $0 == "-" ? "_" : $0 })
    }
}

import SwitchTestKit
import SystemPackage

/// Where this package is.
let package = TestPath(#filePath).parent.parent.parent

/// The modules that the Swift files below a directory import.
func imports(below path: TestPath) throws(Errno) -> Set<String> {
    var modules: Set<String> = []
    for entry in try Sys.list(path) {
        let inside = path / entry.name
        if entry.kind == .directory {
            modules.formUnion(try imports(below: inside))
        } else if entry.name.text.hasSuffix(".swift") {
            modules.formUnion(try Sys.text(inside).split(separator: "\n").compactMap(importedModule))
        }
    }
    return modules
}

/// `internal import protocol Module.Name` imports `Module`.
private func importedModule(_ line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard let at = words.firstIndex(of: "import"), words[..<at].allSatisfy(isModifier) else { return nil }
    let kinds: Set<Substring> = ["class", "enum", "func", "protocol", "struct", "typealias", "var"]
    let name = words[(at + 1)...].first { !kinds.contains($0) }
    return name?.split(separator: ".").first.map(String.init)
}

private func isModifier(_ word: Substring) -> Bool {
    word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
}

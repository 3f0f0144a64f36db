import SwitchTestKit
import SystemPackage

/// Where this package is.
let package = TestPath(#filePath).parent.parent.parent

/// A Swift file of the package.
struct Source {
    /// The first folder on the way to it; empty for a file beside the folders.
    let folder: String
    let name: String
    let text: String
}

/// The Swift files below a directory. `folder`: where that is already below the one that counts.
func sources(below path: TestPath, in folder: String = "") throws(Errno) -> [Source] {
    var found: [Source] = []
    for entry in try Sys.list(path) {
        let name = entry.name.text
        let inside = path / entry.name
        if entry.kind == .directory {
            found += try sources(below: inside, in: folder.isEmpty ? name : folder)
        } else if name.hasSuffix(".swift") {
            found.append(Source(folder: folder, name: name, text: try Sys.text(inside)))
        }
    }
    return found
}

/// The modules that the Swift files below a directory import.
func imports(below path: TestPath) throws(Errno) -> Set<String> {
    Set(try sources(below: path).flatMap { $0.text.split(separator: "\n").compactMap(importedModule) })
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

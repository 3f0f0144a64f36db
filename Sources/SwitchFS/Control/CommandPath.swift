import LinuxSystem
import SystemPackage

/// Paths on a command line, made comparable with the mount table without a look into a mount: a dead or
/// hanging server must not stop the command that ends it.
enum CommandPath {
    /// The given path made absolute; and where that helps, with links resolved in the directory that holds it.
    static func candidates(_ given: String) -> [String] {
        let absolute = normalized(given.hasPrefix("/") ? given : workingDirectory() + "/" + given)
        guard let parent = real(directoryOf(absolute)) else { return [absolute] }
        let resolved = normalized(parent + "/" + lastName(absolute))
        guard let end = real(absolute) else { return [absolute, resolved] }
        return [absolute, resolved, end]
    }

    /// The path up to the first name that isn't UTF-8, and the rest, which begins with a slash or is empty.
    static func split(_ path: [UInt8]) -> (text: String, rest: [UInt8]) {
        if let text = String(validating: path, as: UTF8.self) { return (text, []) }
        var kept: [ArraySlice<UInt8>] = []
        var rest: [ArraySlice<UInt8>] = []
        for name in path.split(separator: 0x2f) where !name.elementsEqual(".".utf8) {
            if name.elementsEqual("..".utf8), !rest.isEmpty {
                rest.removeLast()
            } else if rest.isEmpty && String(validating: name, as: UTF8.self) != nil {
                kept.append(name)
            } else {
                rest.append(name)
            }
        }
        let start = path.first == 0x2f ? "/" : "./"
        let text = start + String(decoding: Array(kept.joined(separator: [0x2f])), as: UTF8.self)
        return (text, rest.flatMap { [0x2f] + $0 })
    }

    /// Without empty components, `.` and `..`.
    static func normalized(_ path: String) -> String {
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }

    private static func directoryOf(_ path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func lastName(_ path: String) -> Substring {
        path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
    }

    private static func workingDirectory() -> String { real(".") ?? "/" }

    /// Opening O_PATH asks a FUSE server nothing where the path is a mount's root.
    private static func real(_ path: String) -> String? {
        let name = OwnedName(path.isEmpty ? "/" : path)
        guard
            let opened = try? FileDescriptor.workingDirectory.openPlain(name.ref, flags: [.path, .directory])
        else { return nil }
        return GivenDirectory.realPath(of: opened.descriptor)
    }
}

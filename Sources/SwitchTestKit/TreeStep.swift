import Glibc

/// One change to a tree, made beneath a union's feet.
public enum TreeStep: Hashable, Sendable {
    case write(TestPath, String)
    case append(TestPath, String)
    case makeDirectory(TestPath)
    /// With all that is in it.
    case remove(TestPath)
    case rename(TestPath, TestPath)
    case symlink(TestPath, to: TestPath)
    case link(TestPath, to: TestPath)
    case changeMode(TestPath, UInt32)
    case truncate(TestPath, Int64)

    /// Makes the change in the tree at `root`.
    public func apply(at root: TestPath) throws {
        switch self {
        case .write(let path, let text):
            try Sys.put(root / path, text)
        case .append(let path, let text):
            try Sys.open(root / path, O_WRONLY | O_APPEND | O_CREAT).write(text)
        case .makeDirectory(let path):
            try Sys.makeDirectories(root / path)
        case .remove(let path):
            Sys.removeTree(root / path)
        case .rename(let old, let new):
            try Sys.rename(root / old, root / new)
        case .symlink(let path, let target):
            try Sys.makeSymlink(root / path, to: target)
        case .link(let path, let target):
            try Sys.link(root / target, root / path)
        case .changeMode(let path, let mode):
            try Sys.changeMode(root / path, mode)
        case .truncate(let path, let size):
            try Sys.truncate(root / path, to: size)
        }
    }
}

/// Changes written as lines: `write a/b some text`, `append a/b more`, `mkdir d`, `rm d`, `mv a b`,
/// `symlink TARGET PATH`, `link TARGET PATH`, `chmod 600 a`, `truncate 0 a`. `#` begins a comment.
public struct TreeScript: Sendable {
    public var steps: [TreeStep]

    public init(_ text: String) throws {
        steps = try text.split(separator: "\n").compactMap { try Self.step(String($0)) }
    }

    /// Makes the changes one after another; `between` may look at the union after each.
    public func run(at root: TestPath, after: (TreeStep) throws -> Void = { _ in }) throws {
        for step in steps {
            try step.apply(at: root)
            try after(step)
        }
    }

    private static func step(_ line: String) throws -> TreeStep? {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        guard let verb = words.first, !verb.hasPrefix("#") else { return nil }
        let first = words.count > 1 ? words[1] : ""
        let second = words.count > 2 ? words[2] : ""
        switch verb {
        case "write": return .write(TestPath(first), second)
        case "append": return .append(TestPath(first), second)
        case "mkdir": return .makeDirectory(TestPath(first))
        case "rm": return .remove(TestPath(first))
        case "mv": return .rename(TestPath(first), TestPath(second))
        case "symlink": return .symlink(TestPath(second), to: TestPath(first))
        case "link": return .link(TestPath(second), to: TestPath(first))
        case "chmod":
            if let mode = UInt32(first, radix: 8) { return .changeMode(TestPath(second), mode) }
        case "truncate":
            if let size = Int64(first) { return .truncate(TestPath(second), size) }
        default: break
        }
        throw FixtureError("not a step: \(line)")
    }
}

import Glibc
import SystemPackage

/// A directory tree as a literal: `["a": "content", "d": ["e": .symlink("../a")]]`. A name may be a
/// path: its directories are made too.
public struct Tree: ExpressibleByDictionaryLiteral, Sendable {
    /// In the order in which they are made.
    public var entries: [(name: TestPath, node: TreeNode)]

    public init(dictionaryLiteral elements: (TestPath, TreeNode)...) {
        entries = elements.map { (name: $0, node: $1) }
    }

    public init(_ entries: [(name: TestPath, node: TreeNode)]) {
        self.entries = entries
    }

    /// Makes the tree in an existing directory.
    public func build(at root: TestPath) throws {
        var later: [(TestPath, TreeNode)] = []
        for (name, node) in entries {
            if case .link = node.form {
                later.append((name, node))
            } else {
                try Sys.makeDirectories((root / name).parent)
                try node.build(at: root / name)
            }
        }
        for (name, node) in later { try node.build(at: root / name) }
    }
}

/// One object of a tree: a string literal is a file's content, a dictionary literal a directory.
public struct TreeNode: Sendable {
    enum Form: Sendable {
        case file([UInt8])
        case directory(Tree)
        case symlink(TestPath)
        case special(type: UInt32, major: UInt32, minor: UInt32)
        case link(String)
    }

    var form: Form
    var mode: UInt32?
    var owner: (uid: UInt32, gid: UInt32)?
    var modified: Int64?
    var xattrs: [(name: String, value: String)] = []

    public static func file(_ text: String = "", mode: UInt32 = 0o644) -> TreeNode {
        TreeNode(form: .file(Array(text.utf8)), mode: mode)
    }

    public static func bytes(_ bytes: [UInt8]) -> TreeNode {
        TreeNode(form: .file(bytes))
    }

    public static func directory(_ tree: Tree = [:], mode: UInt32 = 0o755) -> TreeNode {
        TreeNode(form: .directory(tree), mode: mode)
    }

    public static func symlink(_ target: TestPath) -> TreeNode {
        TreeNode(form: .symlink(target))
    }

    public static func fifo(mode: UInt32 = 0o644) -> TreeNode {
        TreeNode(form: .special(type: S_IFIFO, major: 0, minor: 0), mode: mode)
    }

    public static func socket(mode: UInt32 = 0o644) -> TreeNode {
        TreeNode(form: .special(type: S_IFSOCK, major: 0, minor: 0), mode: mode)
    }

    public static func character(_ major: UInt32, _ minor: UInt32) -> TreeNode {
        TreeNode(form: .special(type: S_IFCHR, major: major, minor: minor))
    }

    public static func block(_ major: UInt32, _ minor: UInt32) -> TreeNode {
        TreeNode(form: .special(type: S_IFBLK, major: major, minor: minor))
    }

    /// A hard link to another object; the path is absolute, or relative to this object's directory.
    public static func link(_ target: String) -> TreeNode {
        TreeNode(form: .link(target))
    }

    /// Overlayfs's mark that a name is hidden.
    public static var whiteout: TreeNode { .character(0, 0) }

    /// Overlayfs's mark that nothing below this directory shows, as a property to add.
    public static func opaque(_ tree: Tree = [:], prefix: String = "trusted") -> TreeNode {
        TreeNode.directory(tree).with("\(prefix).overlay.opaque", "y")
    }

    public func owned(by uid: UInt32, _ gid: UInt32) -> TreeNode {
        var node = self
        node.owner = (uid, gid)
        return node
    }

    public func with(_ xattr: String, _ value: String) -> TreeNode {
        var node = self
        node.xattrs.append((xattr, value))
        return node
    }

    /// In nanoseconds.
    public func modified(_ time: Int64) -> TreeNode {
        var node = self
        node.modified = time
        return node
    }

    /// Makes the object.
    public func build(at path: TestPath) throws {
        switch form {
        case .file(let bytes):
            let handle = try Sys.open(path, O_WRONLY | O_CREAT | O_TRUNC)
            var rest = bytes[...]
            while !rest.isEmpty { rest = rest.dropFirst(try handle.write(Array(rest))) }
        case .directory(let tree):
            if !Sys.exists(path) { try Sys.makeDirectory(path) }
            try tree.build(at: path)
        case .symlink(let target):
            try Sys.makeSymlink(path, to: target)
        case .special(let type, let major, let minor):
            try Sys.makeNode(path, mode: type | 0o644, major: major, minor: minor)
        case .link(let target):
            try Sys.link(target.hasPrefix("/") ? TestPath(target) : path.parent / TestPath(target), path)
        }
        if let owner { try Sys.changeOwner(path, uid: owner.uid, gid: owner.gid) }
        if let mode { try Sys.changeMode(path, mode) }
        for (name, value) in xattrs { try Sys.setXattr(path, name, value) }
        if let modified { try Sys.changeTimes(path, accessed: modified, modified: modified) }
    }
}

extension TreeNode: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    public init(stringLiteral value: String) {
        self = .file(value)
    }

    public init(dictionaryLiteral elements: (TestPath, TreeNode)...) {
        self = .directory(Tree(elements.map { (name: $0, node: $1) }))
    }
}

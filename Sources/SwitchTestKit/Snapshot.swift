import SystemPackage

/// What a tree looks like to one who walks it: for comparing a mount with a directory, with a model, or
/// with itself after a remount.
public struct Snapshot: Equatable, Sendable {
    public struct Item: Equatable, Sendable, CustomStringConvertible {
        public var kind: FileFacts.Kind
        public var permissions: UInt32
        public var uid: UInt32
        public var gid: UInt32
        /// Of files; 0 of all else.
        public var size: UInt64
        /// A hash of a file's content, a symlink's target, a device's number.
        public var content: UInt64
        public var inode: UInt64

        public var description: String {
            "\(kind) \(String(permissions, radix: 8)) \(uid):\(gid) \(size) #\(content & 0xffff) i\(inode)"
        }
    }

    public var items: [TestPath: Item]

    /// Walks the tree at `root`, not into other file systems.
    public init(_ root: TestPath, inodes: Bool = false) throws {
        items = [:]
        try add(root, as: "", device: try Sys.facts(root).device, inodes: inodes)
    }

    public init(items: [TestPath: Item]) {
        self.items = items
    }

    private mutating func add(
        _ directory: TestPath, as name: TestPath, device: UInt64, inodes: Bool
    ) throws {
        for entry in try Sys.list(directory) {
            let path = directory / entry.name
            let facts = try Sys.facts(path)
            let item = try Self.item(path, facts, inodes: inodes)
            if items.updateValue(item, forKey: name / entry.name) != nil {
                throw FixtureError("\(directory) lists \(entry.name) twice")
            }
            if entry.kind != facts.kind {
                throw FixtureError("\(path) is listed as \(entry.kind) and is \(facts.kind)")
            }
            if facts.kind == .directory, facts.device == device {
                try add(path, as: name / entry.name, device: device, inodes: inodes)
            }
        }
    }

    /// The item that an object gives.
    public static func item(_ path: TestPath, _ facts: FileFacts, inodes: Bool = false) throws -> Item {
        let content: [UInt8] =
            switch facts.kind {
            case .file: try Sys.contents(path)
            case .symlink: try Sys.readLink(path).bytes
            default: Array("\(facts.special)".utf8)
            }
        return Item(
            kind: facts.kind, permissions: facts.permissions, uid: facts.uid, gid: facts.gid,
            size: facts.kind == .file ? facts.size : 0, content: Self.hash(content),
            inode: inodes ? facts.inode : 0)
    }

    /// FNV-1a.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The differences in words, at most ten; empty when equal.
    public func differences(from other: Snapshot) -> [String] {
        let names = Set(items.keys).union(other.items.keys).sorted()
        let lines = names.compactMap { name -> String? in
            let (mine, theirs) = (items[name], other.items[name])
            if mine == theirs { return nil }
            return "\(name): \(mine.map(\.description) ?? "missing"), "
                + "not \(theirs.map(\.description) ?? "missing")"
        }
        return Array(lines.prefix(10))
    }
}

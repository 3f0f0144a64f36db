import Glibc
import SwitchTestKit
import SystemPackage

/// One union of random layers, and its plain twin.
struct DifferentialRun {
    private let seed: UInt64
    private var random: SeededRandom
    private let layers: [TestPath]
    private let plain: TestPath
    private let readOnly: [Int]
    private let options: [String]
    /// What is the same object on both sides, by inode numbers.
    private var twins: [UInt64: UInt64] = [:]
    /// What the union showed last, with inode numbers.
    private var shown = Snapshot(items: [:])
    private(set) var refusals = 0
    /// Calls that worked.
    private(set) var effects = 0

    init(seed: UInt64, in scratch: Scratch) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        let ground = try scratch.tmpfs("ground")
        layers = (0..<3).map { ground / TestPath("layer\($0)") }
        plain = ground / "plain"
        for path in layers + [plain] { try Sys.makeDirectory(path) }
        for index in layers.indices {
            let tree = RandomTree.make(layer: index, isLowest: index == 2, depth: 3, &random)
            try tree.build(at: layers[index])
        }
        readOnly = [[], [], [], [1], [2], [1, 2]][random.below(6)]
        let places = [[], [], ["create=lower", "mkdir=lower"], ["create=fallback", "mkdir=fallback"]]
        let modes = ["coherence=watch", "coherence=check"]
        let orphans = ["orphans=keep", "orphans=hide"]
        options = places[random.below(4)] + [modes[random.below(2)], orphans[random.below(2)]]
    }

    private var description: String { "read-only \(readOnly), \(options.joined(separator: ","))" }

    /// The first difference, in words.
    mutating func play(calls: Int, in scratch: Scratch) throws -> String? {
        let union = try Union(
            in: scratch, upper: layers[0], lowers: Array(layers.dropFirst()),
            attributes: [1, 2].map { readOnly.contains($0) ? "ro" : "" }, options: options)
        defer { union.crash() }
        try TreeCopy.copy(union.mount, to: plain)
        if let line = try Snapshot(union.mount).differences(from: UnionModel.snapshot(of: layers)).first {
            return "\(description): at first \(line)"
        }
        if let found = try compare(union.mount) { return "\(description): at first \(found)" }
        for number in 0..<calls {
            let call = try RandomCall(&random, existing: Snapshot(plain).items.keys.sorted())
            let before = layers.flatMap { layer in call.names.map { name in column(layer, name) } }
            if let found = try judge(call, union.mount) {
                return "\(description): call \(number), \(call): \(found); before: \(before)"
            }
        }
        try union.restart()
        if let found = try compare(union.mount) { return "\(description): after the remount \(found)" }
        try union.stop()
        return nil
    }

    private func column(_ layer: TestPath, _ name: TestPath) -> String {
        guard let facts = try? Sys.facts(layer / name) else { return "-" }
        guard facts.kind == .directory else { return facts.isWhiteout ? "whiteout" : facts.kind.rawValue }
        return "directory\((try? Sys.xattrs(layer / name)) ?? [])\((try? Sys.names(layer / name)) ?? [])"
    }

    private mutating func judge(_ call: RandomCall, _ mount: TestPath) throws -> String? {
        let held = try layers.map { try Snapshot($0, inodes: true) }
        let error = call.run(in: mount)
        if error == .improperLink || error == .readOnlyFileSystem {
            refusals += 1
            for (layer, before) in zip(layers, held) {
                // Directories that only hold a place for others are nobody's change.
                if let line = try Snapshot(layer, inodes: true).differences(from: before).first {
                    return "\(error?.name ?? ""), and in \(layer.name) \(line)"
                }
            }
            return try Snapshot(mount, inodes: true).differences(from: shown).first
        }
        if error == nil { effects += 1 }
        let expected = call.run(in: plain)
        if error != expected { return "\(error?.name ?? "success"), not \(expected?.name ?? "success")" }
        return try compare(mount)
    }

    private mutating func compare(_ mount: TestPath) throws -> String? {
        let (union, plain) = (try Snapshot(mount, inodes: true), try Snapshot(plain, inodes: true))
        shown = union
        var (mine, theirs) = (union, plain)
        for name in mine.items.keys { mine.items[name]?.inode = 0 }
        for name in theirs.items.keys { theirs.items[name]?.inode = 0 }
        if let line = mine.differences(from: theirs).first { return line }
        // What was the same object before is the same now, and nothing else is.
        for (name, item) in plain.items {
            let number = union.items[name]?.inode ?? 0
            if let known = twins[item.inode], known != number { return "\(name) has another number" }
            twins[item.inode] = number
        }
        let standing = Set(plain.items.values.map(\.inode))
        twins = twins.filter { standing.contains($0.key) }
        if Set(twins.values).count != twins.count { return "two objects have one number" }
        return nil
    }
}

/// A layer's tree of a few names, so that layers meet.
enum RandomTree {
    static let names = ["a", "b", "c", "d"].map { TestPath($0) }

    static func make(layer: Int, isLowest: Bool, depth: Int, _ random: inout SeededRandom) -> Tree {
        var tree = Tree([])
        for name in names {
            let choice = random.below(12)
            switch choice {
            case 0...1: tree.entries.append((name: name, node: .file("\(name) of \(layer)")))
            case 2...6 where depth > 1:
                let inside = make(layer: layer, isLowest: isLowest, depth: depth - 1, &random)
                let node: TreeNode =
                    random.below(8) == 0 && !isLowest ? .opaque(inside) : .directory(inside)
                tree.entries.append((name: name, node: node))
            case 7 where !isLowest, 8 where !isLowest: tree.entries.append((name: name, node: .whiteout))
            case 9: tree.entries.append((name: name, node: .symlink("to-\(layer)")))
            default: break
            }
        }
        return tree
    }
}

/// Copies what a tree shows.
enum TreeCopy {
    static func copy(_ from: TestPath, to target: TestPath) throws {
        for entry in try Sys.list(from) {
            let (source, copy) = (from / entry.name, target / entry.name)
            let facts = try Sys.facts(source)
            switch facts.kind {
            case .directory:
                try Sys.makeDirectory(copy)
                try self.copy(source, to: copy)
            case .symlink: try Sys.makeSymlink(copy, to: Sys.readLink(source))
            default: try Sys.put(copy, Sys.text(source))
            }
            if facts.kind != .symlink { try Sys.changeMode(copy, facts.permissions) }
        }
    }
}

/// A call on one or two paths of a small tree.
struct RandomCall: CustomStringConvertible {
    private let choice: Int
    private let amount: Int
    private let first: TestPath
    private let second: TestPath

    init(_ random: inout SeededRandom, existing: [TestPath]) {
        choice = random.below(26)
        amount = random.below(400)
        first = Self.path(&random, existing)
        second = Self.path(&random, existing)
    }

    /// One that exists, one beside it or in it, or any.
    private static func path(_ random: inout SeededRandom, _ existing: [TestPath]) -> TestPath {
        let name = RandomTree.names[random.below(4)]
        guard random.below(8) > 0, !existing.isEmpty else { return name }
        let path = existing[random.below(existing.count)]
        switch random.below(4) {
        case 0: return path.bytes.contains(0x2f) ? path.parent / name : name
        case 1: return path / name
        default: return path
        }
    }

    var names: [TestPath] { [first, second] }

    var description: String {
        let words = [
            "create", "create", "write", "mkdir", "mkdir", "mkdir", "rmdir", "rmdir", "unlink", "unlink",
            "unlink", "rename", "rename", "rename", "rename", "rename", "noreplace", "exchange", "exchange",
            "link", "link", "symlink", "fifo", "truncate", "chmod", "open O_CREAT|O_TRUNC",
        ]
        return "\(words[choice]) \(first) \(second) \(amount)"
    }

    func run(in root: TestPath) -> Errno? {
        let (a, b) = (root / first, root / second)
        return failure {
            switch choice {
            case 0, 1: _ = try Sys.open(a, O_WRONLY | O_CREAT | O_EXCL)
            case 2: try Sys.open(a, O_WRONLY | Flag.noFollow | O_NONBLOCK).write(bytes)
            case 3...5: try Sys.makeDirectory(a)
            case 6, 7: try Sys.removeDirectory(a)
            case 8...10: try Sys.unlink(a)
            case 11...15: try Sys.rename(a, b)
            case 16: try Sys.rename(a, b, flags: Flag.renameNoReplace)
            case 17, 18: try Sys.rename(a, b, flags: Flag.renameExchange)
            case 19, 20: try Sys.link(a, b)
            case 21: try Sys.makeSymlink(a, to: "to-\(amount)")
            case 22: try Sys.makeFifo(a)
            case 23: try Sys.truncate(a, to: Int64(amount))
            case 24:
                if try Sys.facts(a).kind != .symlink { try Sys.changeMode(a, 0o700 | UInt32(amount & 0o77)) }
            default:
                let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | Flag.noFollow
                try Sys.open(a, flags).write(bytes)
            }
        }
    }

    private var bytes: [UInt8] { [UInt8](repeating: UInt8(amount & 0xff), count: amount) }
}

import SwitchTestKit

/// What a union must show, computed from its layers by the contract's rules of resolution.
struct UnionModel {
    var items: [TestPath: Snapshot.Item] = [:]

    /// Layers from the top; the first is the upper.
    static func snapshot(of layers: [TestPath]) throws -> Snapshot {
        var model = UnionModel()
        try model.add(layers, as: "")
        return Snapshot(items: model.items)
    }

    private mutating func add(_ directories: [TestPath], as name: TestPath) throws {
        var stacks: [TestPath: [TestPath]] = [:]
        var decided: Set<TestPath> = []
        for directory in directories {
            for entry in try Sys.list(directory) where !decided.contains(entry.name) {
                let path = directory / entry.name
                let facts = try Sys.facts(path)
                if facts.kind == .directory {
                    stacks[entry.name, default: []].append(path)
                    if try Self.isComplete(path) { decided.insert(entry.name) }
                    continue
                }
                decided.insert(entry.name)
                if facts.isWhiteout || stacks[entry.name] != nil { continue }
                items[name / entry.name] = try Snapshot.item(path, facts)
            }
        }
        for (entry, stack) in stacks {
            let owner = try stack.first { try !Self.isSkeleton($0) } ?? stack[0]
            let before = items.count
            try add(stack, as: name / entry)
            // A skeleton whose origin has gone shows only while it holds something.
            let orphan = try stack.allSatisfy { try Self.isSkeleton($0) }
            if orphan, items.count == before { continue }
            items[name / entry] = try Snapshot.item(owner, Sys.facts(owner))
        }
    }

    private static func isComplete(_ directory: TestPath) throws -> Bool {
        try Sys.xattrs(directory).contains { name in
            (name.hasSuffix(".opaque") && (try? Sys.xattrText(directory, name)) == "y")
                || (name.contains(".switchfs.") && name.hasSuffix("complete"))
        }
    }

    private static func isSkeleton(_ directory: TestPath) throws -> Bool {
        try Sys.xattrs(directory).contains { $0.contains(".switchfs.origin") }
    }
}

import SwitchTestKit
import SystemPackage

/// What a union of layers on one file system must show, down to the nanosecond, computed from what the layers
/// hold now by the contract's rules. Nobody may change them meanwhile.
struct LayerModel {
    /// Top to bottom.
    let layers: [TestPath]
    let hasUpper: Bool

    private(set) var tree = ShownTree()

    /// What one layer has under a name.
    private struct Standing {
        var isUpper: Bool
        var path: TestPath
        var facts: FileFacts
        var isSkeleton = false
    }

    init(layers: [TestPath], hasUpper: Bool) throws {
        self.layers = layers
        self.hasUpper = hasUpper
        let roots = try layers.enumerated().map { index, path in
            Standing(isUpper: hasUpper && index == 0, path: path, facts: try Sys.facts(path))
        }
        tree.objects[""] = try merged(roots)
        try visit(roots, at: "")
    }

    private mutating func visit(_ stack: [Standing], at path: TestPath) throws {
        var entries: [ShownEntry] = []
        let names = try stack.reduce(into: Set()) { names, directory in
            names.formUnion(try Sys.list(directory.path).map(\.name))
        }
        for name in names {
            var found = try standings(of: name, in: stack)
            // As if the upper had nothing of the name.
            if try isHidden(found) { found = try standings(of: name, in: stack.filter { !$0.isUpper }) }
            guard let first = found.first else { continue }
            let child = path / name
            let object: ShownObject
            if first.facts.kind == .directory {
                object = try merged(found)
                try visit(found, at: child)
            } else {
                object = ShownObject(
                    first.facts, target: first.facts.kind == .symlink ? try Sys.readLink(first.path) : nil)
            }
            tree.objects[child] = object
            entries.append(ShownEntry(name: name, inode: object.inode, kind: object.kind))
        }
        tree.listings[path] = entries.sorted()
    }

    /// What makes the union's object: one that is no directory, or directories down to where they end.
    private func standings(of name: TestPath, in stack: [Standing]) throws -> [Standing] {
        var found: [Standing] = []
        for directory in stack {
            let path = directory.path / name
            guard let facts = try? Sys.facts(path) else { continue }
            if facts.isWhiteout { break }
            guard facts.kind == .directory else {
                if found.isEmpty {
                    found.append(Standing(isUpper: directory.isUpper, path: path, facts: facts))
                }
                break
            }
            let marks = try Sys.xattrs(path)
            let isSkeleton = directory.isUpper && marks.contains { $0.contains(".switchfs.origin") }
            found.append(
                Standing(isUpper: directory.isUpper, path: path, facts: facts, isSkeleton: isSkeleton))
            if marks.contains(where: { $0.hasSuffix(".overlay.opaque") || $0.contains(".switchfs.complete") })
            {
                break
            }
        }
        return found
    }

    /// A skeleton whose origin has gone shows only while it holds something.
    private func isHidden(_ found: [Standing]) throws -> Bool {
        guard let skeleton = found.first, found.allSatisfy(\.isSkeleton) else { return false }
        return try !holdsEntries(skeleton.path)
    }

    private func holdsEntries(_ skeleton: TestPath) throws -> Bool {
        for entry in try Sys.list(skeleton) {
            let path = skeleton / entry.name
            let facts = try Sys.facts(path)
            if facts.isWhiteout { continue }
            let isSkeleton =
                try facts.kind == .directory && Sys.xattrs(path).contains { $0.contains(".switchfs.origin") }
            if try !isSkeleton || holdsEntries(path) { return true }
        }
        return false
    }

    /// The owner's attributes, with the newest times.
    private func merged(_ found: [Standing]) throws -> ShownObject {
        let owner = found.first { !$0.isSkeleton } ?? found[0]
        var object = ShownObject(owner.facts)
        for other in found where other.path != owner.path {
            object.modified = max(object.modified, other.facts.modified)
            if other.isSkeleton {
                object.changed = max(object.changed, other.facts.modified)
                if object.links > 1 { object.links += try extraDirectories(other.path, beyond: owner.path) }
            } else {
                object.changed = max(object.changed, other.facts.changed)
                object.links = 1
            }
        }
        return object
    }

    private func extraDirectories(_ skeleton: TestPath, beyond owner: TestPath) throws -> UInt32 {
        UInt32(
            try Sys.list(skeleton).count { $0.kind == .directory && !Sys.exists(owner / $0.name) })
    }
}

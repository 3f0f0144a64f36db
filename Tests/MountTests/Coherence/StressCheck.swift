import SwitchTestKit
import SystemPackage

/// A place where the mount doesn't show what the layers say.
struct Mismatch: CustomStringConvertible {
    enum Kind: String, CaseIterable {
        /// There or not, another object, another type.
        case entry
        case attributes
        case listing
        /// A look that ended in an error.
        case failure
        /// One that ended in an error of the kernel's own, and in none at once thereafter. It won't take a directory
        /// in at a new place while somebody else holds a lock that it needs of the old one: ESTALE.
        case refusal
        /// A user's mount that has gone, or what one sees who works in a directory or holds it open.
        case holding
    }

    var kind: Kind
    var path: TestPath
    var shown: String
    var error: Errno?
    var expected: String
    /// What each layer has there.
    var holdings: [String] = []
    /// What made it right.
    var healedBy = "nothing"

    var description: String {
        "\(kind) of /\(path), healed by \(healedBy)\n  kernel: \(shown)\n  layers: \(expected)"
            + holdings.map { "\n    \($0)" }.joined()
    }
}

/// Compares what the kernel shows with what the layers say.
struct StressCheck {
    let mount: TestPath
    let layers: [TestPath]
    let hasUpper: Bool
    var names = StressNames.few
    /// What users have in it.
    var holdings: StressHoldings?

    /// How many names are looked at at least.
    var checks: Int { names.all.count + 1 }

    func mismatches() throws -> [Mismatch] {
        let model = try LayerModel(layers: layers, hasUpper: hasUpper).tree
        var found: [Mismatch] = []
        for path in Set(names.all).union(model.objects.keys) {
            if holdings != nil, StressHoldings.isCovered(path) { continue }
            if let wrong = Self.object(mount / path, path, model.objects[path]) { found.append(wrong) }
            guard let listing = model.listings[path] else { continue }
            if let wrong = Self.listing(mount / path, path, listing) { found.append(wrong) }
        }
        return found + (holdings?.mismatches(model) ?? [])
    }

    private static func object(_ real: TestPath, _ path: TestPath, _ expected: ShownObject?) -> Mismatch? {
        let wanted = expected.map { "\($0)" } ?? "nothing"
        do throws(Errno) {
            let shown = try ShownObject(at: real)
            if shown == expected { return nil }
            var kind = Mismatch.Kind.entry
            if let shown, let expected, shown.isSameObject(as: expected) { kind = .attributes }
            return Mismatch(
                kind: kind, path: path, shown: shown.map { "\($0)" } ?? "nothing", expected: wanted)
        } catch {
            return Mismatch(kind: .failure, path: path, shown: error.name, error: error, expected: wanted)
        }
    }

    private static func listing(_ real: TestPath, _ path: TestPath, _ expected: [ShownEntry]) -> Mismatch? {
        do throws(Errno) {
            let shown = try Sys.list(real).map { ShownEntry(name: $0.name, inode: $0.inode, kind: $0.kind) }
                .sorted()
            if shown == expected { return nil }
            return Mismatch(kind: .listing, path: path, shown: "\(shown)", expected: "\(expected)")
        } catch {
            return Mismatch(
                kind: .failure, path: path, shown: "listing: \(error.name)", error: error,
                expected: "\(expected)")
        }
    }

    /// The mismatches there are, each with what heals it.
    func findings(_ control: Control) throws -> [Mismatch] {
        let stale = try control.status()[Errno.staleNFSFileHandle.name]
        var found = try mismatches()
        if found.isEmpty { return found }
        let isKernels = try control.status()[Errno.staleNFSFileHandle.name] == stale
        for index in found.indices { found[index].holdings = holdings(of: found[index].path) }
        func note(_ remedy: String) throws {
            let left = try mismatches()
            for index in found.indices where found[index].healedBy == "nothing" {
                let isLeft = left.contains { $0.path == found[index].path && $0.kind == found[index].kind }
                if !isLeft { found[index].healedBy = remedy }
            }
        }
        try note("looking again")
        for index in found.indices where found[index].healedBy == "looking again" {
            if isKernels, found[index].error == .staleNFSFileHandle { found[index].kind = .refusal }
        }
        try control.synchronize()
        try note("another sync")
        try Sys.overwrite("/proc/sys/vm/drop_caches", "2\n")
        try note("dropping caches")
        for index in found.indices where found[index].healedBy == "nothing" {
            found[index].holdings.append("the server: " + (try control.explain(found[index].path)))
        }
        return found
    }

    private func holdings(of path: TestPath) -> [String] {
        layers.flatMap { layer -> [String] in
            let names = ((try? Sys.names(layer / path)) ?? []).map { path / $0 }
            return ([path] + names).compactMap { Self.holding(layer, $0) }
        }
    }

    private static func holding(_ layer: TestPath, _ name: TestPath) -> String? {
        guard let facts = try? Sys.facts(layer / name) else { return nil }
        let marks = ((try? Sys.xattrs(layer / name)) ?? []).joined(separator: " ")
        let kind = facts.isWhiteout ? "whiteout" : facts.kind.rawValue
        return "\(layer.name)/\(name): \(kind) i\(facts.inode) \(marks)"
    }
}

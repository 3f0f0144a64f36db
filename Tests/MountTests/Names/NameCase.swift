import Glibc
import SwitchTestKit
import SystemPackage

/// What a layer has under the name that a call is about.
enum HeldThere: String, CaseIterable, Sendable {
    case none, file, directory, populated, whiteout

    /// `layer` makes contents differ.
    func node(_ layer: Int) -> TreeNode? {
        switch self {
        case .none: nil
        case .file: .file("target of \(layer)")
        case .directory: [:]
        case .populated: ["p": .file("entry of \(layer)"), "p\(layer)": ""]
        case .whiteout: .whiteout
        }
    }

    var isDirectory: Bool { self == .directory || self == .populated }
}

/// A call on the names `s` and `t` of a directory.
enum NameCall: String, CaseIterable, Sendable {
    case rename, noReplace, exchange, link
    // On `t` alone.
    case create, mkdir, symlink, unlink, rmdir

    static let twoNames: [NameCall] = [.rename, .noReplace, .exchange, .link]
    static let oneName: [NameCall] = [.create, .mkdir, .symlink, .unlink, .rmdir]

    func run(in directory: TestPath) -> Errno? {
        let (source, target) = (directory / "s", directory / "t")
        return failure {
            switch self {
            case .rename: try Sys.rename(source, target)
            case .noReplace: try Sys.rename(source, target, flags: Flag.renameNoReplace)
            case .exchange: try Sys.rename(source, target, flags: Flag.renameExchange)
            case .link: try Sys.link(source, target)
            case .create: _ = try Sys.open(target, O_WRONLY | O_CREAT | O_EXCL)
            case .mkdir: try Sys.makeDirectory(target)
            case .symlink: try Sys.makeSymlink(target, to: "somewhere")
            case .unlink: try Sys.unlink(target)
            case .rmdir: try Sys.removeDirectory(target)
            }
        }
    }
}

/// One combination: what each layer holds under `t`, where `s` is and what it is, and the call.
struct NameCase: Sendable, CustomStringConvertible {
    var call: NameCall
    /// Top to bottom.
    var held: [HeldThere]
    /// The layer of `s`; nil: there is none.
    var sourceLayer: Int?
    var sourceIsDirectory = false

    var description: String {
        let source = sourceLayer.map { "\(sourceIsDirectory ? "directory" : "file") in \($0)" } ?? "nothing"
        return "\(call) of \(source), t: \(held.map(\.rawValue).joined(separator: "/"))"
    }

    /// All of them. A whiteout in the lowest layer hides nothing.
    static func all(layers: Int) -> [NameCase] {
        var columns: [[HeldThere]] = [[]]
        for layer in 0..<layers {
            let possible = HeldThere.allCases.filter { layer < layers - 1 || $0 != .whiteout }
            columns = columns.flatMap { column in possible.map { column + [$0] } }
        }
        return columns.flatMap { held -> [NameCase] in
            var cases = NameCall.oneName.map { NameCase(call: $0, held: held) }
            for call in NameCall.twoNames {
                for isDirectory in call == .link ? [false] : [false, true] {
                    for layer in 0..<layers {
                        cases.append(
                            NameCase(
                                call: call, held: held, sourceLayer: layer, sourceIsDirectory: isDirectory))
                    }
                }
            }
            return cases
        }
    }

    private var source: TreeNode {
        sourceIsDirectory ? ["in": "moved", "sub": ["deep": "moved, too"]] : .file("source")
    }

    /// Makes the directory of the case in every layer.
    func build(in layers: [TestPath], as name: TestPath) throws {
        for (index, root) in layers.enumerated() {
            var tree = Tree([])
            if let node = held[index].node(index) { tree.entries.append((name: "t", node: node)) }
            if sourceLayer == index { tree.entries.append((name: "s", node: source)) }
            try Sys.makeDirectory(root / name)
            try tree.build(at: root / name)
        }
    }

    /// Makes what a union of the layers shows, by the contract's rules of resolution.
    func buildPlain(at path: TestPath) throws {
        var tree = Tree([])
        if sourceLayer != nil { tree.entries.append((name: "s", node: source)) }
        if let first = held.firstIndex(where: { $0 != .none }), held[first] != .whiteout {
            tree.entries.append((name: "t", node: shown(from: first)))
        }
        try Sys.makeDirectory(path)
        try tree.build(at: path)
    }

    private func shown(from first: Int) -> TreeNode {
        guard held[first].isDirectory else { return held[first].node(first) ?? [:] }
        var entries = Tree([])
        for layer in first..<held.count where held[layer] != .none {
            guard held[layer].isDirectory else { break }
            guard held[layer] == .populated else { continue }
            if !entries.entries.contains(where: { $0.name == "p" }) {
                entries.entries.append((name: "p", node: .file("entry of \(layer)")))
            }
            entries.entries.append((name: "p\(layer)", node: ""))
        }
        return .directory(entries)
    }
}

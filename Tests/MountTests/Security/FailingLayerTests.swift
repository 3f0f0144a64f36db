import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A layer whose server was killed: what a higher layer decides is served, what only that layer can answer fails with
/// its own error. Rule 2.11 of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct FailingLayerTests {
    static let options = [[], ["coherence=ttl"], ["coherence=watch"]]
    private static let notConnected = Errno(rawValue: ENOTCONN)

    /// The failing one is in the middle, between lowers that work.
    private func with(
        _ options: [String], warm: Bool, _ body: (Union, TestPath) throws -> Void
    ) throws {
        try Liar.with { scratch, liar in
            let ground = try scratch.tmpfs("ground")
            for (name, tree) in [("upper", Self.upper), ("good", Self.good), ("below", Self.below)] {
                try Sys.makeDirectory(ground / TestPath(name))
                try tree.build(at: ground / TestPath(name))
            }
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: [ground / "good", liar.root, ground / "below"],
                options: options
            ) { union throws in
                #expect(Sys.exists(union["plain"]))
                if warm {
                    for name in Self.served { _ = try Sys.facts(union[name]) }
                    _ = try Sys.list(union.mount)
                }
                liar.kill()
                #expect(failure { _ = try Sys.facts(liar.root) } == Self.notConnected)
                if !warm { try union.dropKernelCaches() }
                try body(union, liar.root)
            }
        }
    }

    private static let upper: Tree = [
        "file": "upper", "directory": ["inside": "upper"], "opaque": .opaque(["inside": "upper"]),
        "whiteout": .whiteout, "over": ["inside": "upper"],
    ]
    private static let good: Tree = [
        "good": "good", "over": "a file that ends the search", "goods": ["inside": "g"],
    ]
    private static let below: Tree = ["below": "below", "over": ["hidden": "h"], "opaque": ["hidden": "h"]]

    private static let served: [TestPath] = [
        "", "file", "directory", "directory/inside", "opaque", "opaque/inside", "over", "over/inside", "good",
        "goods", "goods/inside",
    ]
    private static let unanswered: [TestPath] = [
        "plain", "below", "missing", "directory/missing", "goods/missing",
    ]

    /// Each step that ends otherwise than it must.
    private func wrong(_ steps: [(String, () throws -> Void)], expected: Errno? = nil) -> [String] {
        steps.compactMap { what, step in
            let error = failure(of: step)
            return error == expected ? nil : "\(what): \(error?.name ?? "served")"
        }
    }

    private func same(_ shown: String, _ expected: String) throws {
        if shown != expected { throw FixtureError(shown) }
    }

    @Test(arguments: options, [false, true])
    func whatAHigherLayerDecidesIsServed(options: [String], warm: Bool) throws {
        try with(options, warm: warm) { union, _ throws in
            let looks: [(String, () throws -> Void)] = Self.served.map { name in
                ("stat /\(name)", { _ = try Sys.facts(union[name]) })
            }
            let files: [TestPath] = ["file", "directory/inside", "opaque/inside", "good", "goods/inside"]
            let uses: [(String, () throws -> Void)] = files.flatMap { name in
                [
                    ("open /\(name)", { _ = try Sys.open(union[name]) }),
                    ("write /\(name)", { try Sys.put(union[name], "written") }),
                    ("read /\(name)", { try same(Sys.text(union[name]), "written") }),
                    ("chmod /\(name)", { try Sys.changeMode(union[name], 0o600) }),
                ]
            }
            #expect(wrong(looks) == [])
            #expect(wrong(uses) == [])
            #expect(failure { _ = try Sys.facts(union["whiteout"]) } == .noSuchFileOrDirectory)
        }
    }

    /// A mark, or a file in between, says that no other layer has anything in it.
    @Test(arguments: options, [false, true])
    func aDirectoryOfTheUpperAloneIsWhole(options: [String], warm: Bool) throws {
        try with(options, warm: warm) { union, _ throws in
            for directory in ["opaque", "over"] as [TestPath] {
                let here = union[directory]
                let steps: [(String, () throws -> Void)] = [
                    ("list", { try same("\(Sys.names(here))", "[inside]") }),
                    ("create", { try Sys.put(here / "new", "new") }),
                    ("mkdir", { try Sys.makeDirectory(here / "made") }),
                    ("create below", { try Sys.put(here / "made/new", "new") }),
                    ("rename", { try Sys.rename(here / "new", here / "renamed") }),
                    ("link", { try Sys.link(here / "renamed", here / "linked") }),
                    ("unlink", { try Sys.unlink(here / "linked") }),
                    ("read", { try same(Sys.text(here / "renamed"), "new") }),
                ]
                #expect(wrong(steps) == [], "\(directory)")
                #expect(failure { _ = try Sys.facts(here / "missing") } == .noSuchFileOrDirectory)
            }
        }
    }

    @Test(arguments: options)
    func whatOnlyItCanAnswerFailsWithItsError(options: [String]) throws {
        try with(options, warm: false) { union, _ throws in
            let looks: [(String, () throws -> Void)] = Self.unanswered.flatMap { name in
                [
                    ("stat /\(name)", { _ = try Sys.facts(union[name]) }),
                    ("open /\(name)", { _ = try Sys.open(union[name]) }),
                ]
            }
            #expect(wrong(looks, expected: Self.notConnected) == [])
            #expect(failure { try Sys.put(union["new"], "new") } == Self.notConnected)
            #expect(failure { _ = try Sys.list(union.mount) } == Self.notConnected)
            #expect(!Sys.exists(union.inUpper("new")))
        }
    }

    @Test func statusNamesItAndItsError() throws {
        try with([], warm: true) { union, killed throws in
            _ = try? Sys.facts(union["missing"])
            let status = try union.command("status", union.mount.text).orThrow().output
            let lines = status.split(separator: "\n").map { $0.lowercased() }
            let isNamed = lines.contains { line in
                line.contains(killed.text.lowercased())
                    && (line.contains("enotconn") || line.contains("not connected"))
            }
            #expect(isNamed, "\(status)")
        }
    }
}

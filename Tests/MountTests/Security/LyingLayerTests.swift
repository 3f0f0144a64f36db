import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Layers whose filesystem lies: sizes below zero, kinds that change, listings with paths in them, unknown errors.
/// What the union answers is what the layer's own mount answers, and the server lives on.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct LyingLayerTests {
    /// Lies that are the same at every call (`Tests/Support/Liar/liar.c`).
    private static let steady: [TestPath] = [
        "plain", "failing", "poison", "full", "negative", "kindless", "huge", "gone", "cut", "endless",
        "twice",
        "slash", "nameless", "wrong", "locked", "short", "never", "twice/entry", "wrong/entry", "wrong/other",
        "plain/x", "slash/entry",
    ]
    /// Found by lookup, but not by stat.
    private static let unseen: [TestPath] = ["failing", "gone"]
    private static let changing: [TestPath] = ["flip", "same", "flip/entry", "same/entry", "."]

    @Test func answersAreTheLayersOwn() throws {
        try withLiar { scratch, liar in
            try withUnion(in: scratch, upper: nil, lowers: [liar]) { union in
                for name in Self.steady {
                    for call in Self.calls {
                        let direct = call.answer(liar / name)
                        let shown = call.answer(union[name])
                        // The union shows what it can stat: of the others that error is the answer to all.
                        let unknown = Self.unseen.contains(name) ? Self.calls[0].answer(liar / name) : direct
                        #expect(shown == direct || shown == unknown, "\(call.name) \(name)")
                    }
                }
                try expectSane(union, "plain")
            }
        }
    }

    /// With an upper that has directories of the same names, and with the liar on top: the answers may differ, but
    /// everything is answered.
    @Test(arguments: [false, true])
    func everythingIsAnswered(liarOnTop: Bool) throws {
        try withLiar { scratch, liar in
            let other = try scratch.directory("other")
            for name in Self.steady + Self.changing where !name.bytes.contains(0x2f) && name != "." {
                try Sys.makeDirectory(other / name)
                try Sys.put(other / name / "mine", "mine")
            }
            try Sys.put(other / "truth", "truth")
            let layers = liarOnTop ? [liar, other] : [other, liar]
            let rounds = 20
            try withUnion(in: scratch, upper: nil, lowers: layers) { union in
                var unanswered: [String] = []
                for _ in 0..<rounds {
                    for name in Self.steady + Self.changing {
                        for call in Self.calls {
                            let answer = call.answer(union[name])
                            if answer == "ENOTCONN" || answer == "ENOSYS" {
                                unanswered.append("\(call.name) \(name)")
                            }
                        }
                    }
                }
                #expect(unanswered == [])
                try expectSane(union, "truth")
            }
        }
    }

    @Test func writersOnALiar() throws {
        try withLiar { scratch, liar in
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [liar]) { union in
                for name in Self.steady + Self.changing where name != "." {
                    // Below what may or may not be a directory: the upper has to have it, too.
                    _ = failure { try Sys.put(union[name] / "new", "new") }
                    _ = failure { try Sys.makeDirectory(union[name] / "directory") }
                    _ = failure { try Sys.rename(union[name], union["moved"]) }
                    _ = failure { try Sys.link(union[name], union["linked"]) }
                    _ = failure { try Sys.unlink(union[name]) }
                    _ = failure { try Sys.removeDirectory(union[name]) }
                }
                try Sys.put(union["after"], "after")
                try expectSane(union, "after")
            }
        }
    }

    private func expectSane(_ union: Union, _ name: TestPath) throws {
        #expect(try Sys.contents(union[name]).count > 4)
        #expect(!union.messages.contains("error"), "\(union.messages)")
    }

    private func withLiar(_ body: (Scratch, TestPath) throws -> Void) throws {
        try Liar.with { try body($0, $1.root) }
    }

    private struct Call: Sendable {
        let name: String
        private let body: @Sendable (TestPath) throws -> String

        init(_ name: String, _ body: @escaping @Sendable (TestPath) throws -> String) {
            self.name = name
            self.body = body
        }

        /// What came back, or the error's name.
        func answer(_ path: TestPath) -> String {
            do {
                return try body(path)
            } catch {
                return (error as? Errno)?.name ?? "\(error)"
            }
        }
    }

    private static let calls: [Call] = [
        Call("lstat") { path in
            let facts = try Sys.facts(path)
            return "\(facts.mode) \(facts.size) \(facts.links) \(facts.modified)"
        },
        Call("read") { String(decoding: try Sys.open($0, O_RDONLY | O_NONBLOCK).read(100), as: UTF8.self) },
        Call("write") { "\(try Sys.open($0, O_WRONLY | O_NONBLOCK).write("text"))" },
        Call("readlink") { try Sys.readLink($0).text },
        Call("list") { path in try Sys.names(path).map(\.text).joined(separator: " ") },
        Call("chmod") { path in
            try Sys.changeMode(path, 0o600)
            return ""
        },
        Call("truncate") { path in
            try Sys.truncate(path, to: 3)
            return ""
        },
        Call("utimens") { path in
            try Sys.changeTimes(path, modified: 5, follow: false)
            return ""
        },
        Call("getxattr") { "\(try Sys.xattr($0, "user.any").count)" },
    ]
}

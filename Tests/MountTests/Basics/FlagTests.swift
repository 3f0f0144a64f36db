import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// The flags of chattr(1): those of a directory's owner hold for what goes into the upper, and what they change shows.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct FlagTests {
    /// On a filesystem that has such flags.
    private func with(_ tree: Tree, _ attribute: String = "", _ body: (Union) throws -> Void) throws {
        try withScratch { scratch in
            guard Machine.hasProgram("chattr"), let ground = try? scratch.ext4("ground") else {
                return print("skipped: no chattr, or no ext4 on a loop device")
            }
            let (upper, lower) = (ground / "upper", ground / "lower")
            for path in [upper, lower] { try Sys.makeDirectory(path) }
            try tree.build(at: lower)
            defer { _ = try? run("chattr", "-R", "-ia", ground.text) }
            try withUnion(in: scratch, upper: upper, lowers: [lower], attributes: [attribute], body)
        }
    }

    private func flag(_ flags: String, _ path: TestPath) throws {
        try run("chattr", flags, path.text).orThrow()
    }

    private static let tree: Tree = ["d": ["f": "f", "s": [:]], "e": ["f": "f"]]

    /// What takes names from `d`.
    private func takings(_ union: Union) -> [(String, () throws -> Void)] {
        let d = union["d"]
        return [
            ("unlink in the upper", { try Sys.unlink(d / "u") }),
            ("unlink in the lower", { try Sys.unlink(d / "f") }),
            ("rmdir in the upper", { try Sys.removeDirectory(d / "ud") }),
            ("rmdir in the lower", { try Sys.removeDirectory(d / "s") }),
            ("rename within", { try Sys.rename(d / "u", d / "w") }),
            ("rename out", { try Sys.rename(d / "u", union["e/w"]) }),
            ("replace", { try Sys.rename(union["e/u"], d / "u") }),
        ]
    }

    private func puttings(_ union: Union) -> [(String, () throws -> Void)] {
        let d = union["d"]
        return [
            ("create", { try Sys.put(d / "new", "new") }),
            ("mkdir", { try Sys.makeDirectory(d / "newd") }),
            ("symlink", { try Sys.makeSymlink(d / "news", to: "x") }),
            ("mknod", { try Sys.makeFifo(d / "newp") }),
            ("link", { try Sys.link(union["e/u"], d / "newl") }),
            ("rename into", { try Sys.rename(union["e/u2"], d / "u2") }),
        ]
    }

    /// Each step that ends otherwise.
    private func wrong(_ steps: [(String, () throws -> Void)], _ expected: Errno?) -> [String] {
        steps.compactMap { what, step in
            let error = failure(of: step)
            return error == expected ? nil : "\(what): \(error?.name ?? "done")"
        }
    }

    private func fill(_ union: Union) throws {
        for name in ["d/u", "e/u", "e/u2"] as [TestPath] { try Sys.put(union[name], "u") }
        try Sys.makeDirectory(union["d/ud"])
    }

    @Test(arguments: ["", "ro"]) func immutable(attribute: String) throws {
        try with(Self.tree, attribute) { union throws in
            try fill(union)
            try flag("+i", union.inLower("d"))
            let before = try Snapshot(union.mount)
            #expect(wrong(puttings(union) + takings(union), .notPermitted) == [])
            #expect(try Snapshot(union.mount).differences(from: before) == [])
            // It is of that directory alone.
            try Sys.put(union["d/s/new"], "new")
            try Sys.put(union["d/u"], "changed")
            try flag("-i", union.inLower("d"))
            #expect(wrong(puttings(union), nil) == [])
        }
    }

    @Test(arguments: ["", "ro"]) func appendOnly(attribute: String) throws {
        try with(Self.tree, attribute) { union throws in
            try fill(union)
            try flag("+a", union.inLower("d"))
            #expect(wrong(takings(union), .notPermitted) == [])
            #expect(wrong(puttings(union), nil) == [])
        }
    }

    /// A skeleton isn't there before the first entry: nothing is made of it.
    @Test func withoutASkeleton() throws {
        try with(Self.tree) { union throws in
            try flag("+i", union["d"])
            #expect(failure { try Sys.put(union["d/new"], "new") } == .notPermitted)
            #expect(!Sys.exists(union.inUpper("d")))
            try flag("-i", union["d"])
            try Sys.put(union["d/new"], "new")
        }
    }

    @Test func whatAWhiteoutWouldHide() throws {
        try with(Self.tree, "ro") { union throws in
            try flag("+i", union.inLower("d/f"))
            #expect(failure { try Sys.unlink(union["d/f"]) } == .notPermitted)
            #expect(failure { try Sys.rename(union["d/f"], union["f"]) } == .notPermitted)
            #expect(try Sys.text(union["d/f"]) == "f")
        }
    }

    /// inotify says nothing of it.
    @Test(arguments: [["coherence=watch"], ["coherence=check"]], ["d/f", "d"] as [TestPath])
    func changeTimesShow(options: [String], name: TestPath) throws {
        try with(Self.tree) { union throws in
            try union.restart(options: options)
            let before = try Sys.facts(union[name]).changed
            waitForNewTimestamp()
            for flags in ["+d", "-d"] {
                try flag(flags, union[name])
                #expect(try Sys.facts(union[name]).changed == Sys.facts(union.inLower(name)).changed)
            }
            #expect(try Sys.facts(union[name]).changed > before)
        }
    }
}

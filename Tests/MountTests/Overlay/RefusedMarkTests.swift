import SwitchTestKit
import SystemPackage
import Testing

/// Marks of overlayfs that can't be followed: the object gives EPERM, and it is said why. Never an empty directory, never
/// a file of zeros.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct RefusedMarkTests {
    private static let redirect = "trusted.overlay.redirect"
    private static let metacopy = "trusted.overlay.metacopy"

    /// A file with a size and no data.
    private func hollow(_ path: TestPath, size: Int64 = 5000) throws {
        try Sys.touch(path)
        try Sys.truncate(path, to: size)
        try Sys.setXattr(path, Self.metacopy, "")
    }

    private func expectRefused(_ union: Union, _ names: [TestPath], because reason: String) throws {
        for name in names {
            #expect(failure { _ = try Sys.facts(union[name]) } == .notPermitted, "\(name)")
            #expect(failure { _ = try Sys.open(union[name]) } == .notPermitted, "\(name)")
            #expect(failure { try Sys.put(union[name], "x") } == .notPermitted, "\(name)")
            #expect(try union.control.explain(name).contains(reason), "\(name)")
        }
        #expect(union.messages.split(separator: "\n").count { $0.contains(reason) } == 1)
    }

    @Test(arguments: ["rw", "upper"]) func inALayerThatCanBeWritten(place: String) throws {
        try withScratch { scratch in
            let marked = try scratch.tree("marked", ["d": TreeNode.directory().with(Self.redirect, "old")])
            try hollow(marked / "f")
            let lower = try scratch.tree("lower", ["old": ["a": "a"], "f": "data"])
            let isUpper = place == "upper"
            try withUnion(
                in: scratch, upper: isUpper ? marked : nil, lowers: isUpper ? [lower] : [marked, lower]
            ) { union throws in
                try expectRefused(union, ["d", "f"], because: "can be written")
                #expect(try Sys.names(union.mount).sorted() == ["d", "f", "old"])
            }
        }
    }

    @Test func whatIsMissingBelow() throws {
        let values = ["gone", "/gone", "/old/gone", "/file/in", "/link/inside", "old", "/white"]
        try withScratch { scratch in
            let marked = try scratch.directory("marked")
            for (index, value) in values.enumerated() where value != "old" {
                try Sys.makeDirectory(marked / TestPath("d\(index)"))
                try Sys.setXattr(marked / TestPath("d\(index)"), Self.redirect, value)
            }
            try hollow(marked / "f")
            let lower = try scratch.tree(
                "lower",
                [
                    "old": ["a": "a"], "file": "f", "outside": ["inside": ["a": "a"]],
                    "link": .symlink("outside"), "white": .whiteout,
                ])
            try withUnion(
                in: scratch, upper: nil, lowers: [marked, lower], attributes: ["ro", "ro"]
            ) { union throws in
                let names = values.indices.filter { values[$0] != "old" }.map { TestPath("d\($0)") }
                try expectRefused(union, names + ["f"], because: "have nothing there")
            }
            // The overlay's upper alone.
            try withUnion(in: scratch, name: "alone", upper: nil, lowers: [marked], attributes: ["ro"]) {
                union throws in try expectRefused(union, ["d0", "f"], because: "have nothing there")
            }
        }
    }

    /// Nothing leads upwards, or out of a layer.
    @Test func whatOverlayfsDoesNotWrite() throws {
        let values = [
            "..", ".", "../old", "old/../old", "/../old", "/old/..", "//old", "/", "/old/", "a/b", "",
        ]
        try withScratch { scratch in
            let marked = try scratch.directory("marked")
            for (index, value) in values.enumerated() {
                try Sys.makeDirectory(marked / TestPath("d\(index)"))
                try Sys.setXattr(marked / TestPath("d\(index)"), Self.redirect, value)
            }
            let lower = try scratch.tree("lower", ["old": ["a": "a"]])
            try withUnion(
                in: scratch, upper: nil, lowers: [marked, lower], attributes: ["ro", "ro"]
            ) { union throws in
                let names = values.indices.map { TestPath("d\($0)") }
                try expectRefused(union, names, because: "no such value")
            }
        }
    }

    /// A user who can write a directory of a layer mustn't have another's shown there by it.
    @Test func marksThatUsersCanSet() throws {
        try withScratch { scratch in
            let ground = try scratch.tmpfs("ground")
            let marked = ground / "marked"
            try Sys.makeDirectory(marked)
            let mark = "user.overlay.redirect"
            let own = TreeNode.directory().with(mark, "/old")
            let tree: Tree = [
                "theirs": own.owned(by: 1000, 1000),
                "open": TreeNode.directory(mode: 0o777).with(mark, "/old"),
                "ours": own,
            ]
            if failure(of: { try tree.build(at: marked) }) != nil {
                return print("skipped: no user attributes on tmpfs")
            }
            let lower = ground / "lower"
            try Sys.makeDirectory(lower)
            try (["old": .directory(["a": "a"], mode: 0o700)] as Tree).build(at: lower)
            try withUnion(
                in: scratch, upper: nil, lowers: [marked, lower], attributes: ["ro", "ro"]
            ) { union throws in
                #expect(try Sys.names(union["ours"]) == ["a"])
                try expectRefused(union, ["theirs", "open"], because: "user attribute")
            }
        }
    }

    /// Files that are sparse, or have overlayfs's attributes and data, are ordinary ones.
    @Test func ordinaryFilesAreLeftAlone() throws {
        try withScratch { scratch in
            let lower = try scratch.tree("lower", ["f": "f"])
            try Sys.touch(lower / "sparse")
            try Sys.truncate(lower / "sparse", to: 1 << 20)
            try withUnion(in: scratch, upper: nil, lowers: [lower]) { union throws in
                #expect(try Sys.facts(union["sparse"]).size == 1 << 20)
                try Sys.overwrite(union["sparse"], "x")
                #expect(try Sys.text(union["f"]) == "f")
            }
        }
    }
}

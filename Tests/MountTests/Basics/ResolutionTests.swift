import SwitchTestKit
import SystemPackage
import Testing

/// Chapter 2 of the contract: which layer a name comes from.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ResolutionTests {
    @Test func upperWins() throws {
        try withUnion(lower: ["f": "lower", "only": "l"], upper: ["f": "upper"]) { union throws in
            #expect(try Sys.text(union["f"]) == "upper")
            #expect(try Sys.text(union["only"]) == "l")
            #expect(try Sys.text(union.inLower("f")) == "lower")
        }
    }

    @Test func higherLowerWins() throws {
        try withUnion(lower: ["f": "1", "a": "1"], more: [["f": "2", "b": "2"], ["b": "3", "c": "3"]]) {
            union throws in
            let seen = try ["f", "a", "b", "c"].map { try Sys.text(union[TestPath($0)]) }
            #expect(seen == ["1", "1", "2", "3"])
        }
    }

    @Test func withoutUpperNothingCanBeMade() throws {
        try withUnion(lower: ["f": "x"], upper: nil) { union throws in
            #expect(try Sys.text(union["f"]) == "x")
            #expect(failure { try Sys.put(union["new"], "") } == .readOnlyFileSystem)
            #expect(failure { try Sys.makeDirectory(union["d"]) } == .readOnlyFileSystem)
            try Sys.overwrite(union["f"], "y")
            #expect(try Sys.text(union.inLower("f")) == "y")
        }
    }

    @Test func fileHidesDirectoryBelow() throws {
        try withUnion(lower: ["n": ["in": "x"]], upper: ["n": "file"]) { union throws in
            #expect(try Sys.facts(union["n"]).kind == .file)
            #expect(failure { _ = try Sys.facts(union["n/in"]) } == .notDirectory)
        }
    }

    @Test func directoryHidesFileBelow() throws {
        try withUnion(lower: ["n": "file"], upper: ["n": ["in": "x"]]) { union throws in
            #expect(try Sys.facts(union["n"]).kind == .directory)
            #expect(try Sys.names(union["n"]) == ["in"])
        }
    }

    @Test func nonDirectoryEndsTheStack() throws {
        try withUnion(
            lower: ["n": ["one": "1"]], more: [["n": "file"], ["n": ["three": "3"]]],
            upper: ["n": ["zero": "0"]]
        ) { union throws in
            #expect(try Sys.names(union["n"]) == ["one", "zero"])
            #expect(failure { _ = try Sys.facts(union["n/three"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test func whiteoutDeviceHides() throws {
        try withUnion(lower: ["f": "x", "d": ["g": "y"]], upper: ["f": .whiteout, "d": ["g": .whiteout]]) {
            union throws in
            #expect(failure { _ = try Sys.facts(union["f"]) } == .noSuchFileOrDirectory)
            #expect(failure { _ = try Sys.facts(union["d/g"]) } == .noSuchFileOrDirectory)
            #expect(try Sys.names(union.mount) == ["d"])
            #expect(try Sys.names(union["d"]) == [])
        }
    }

    @Test func whiteoutHoldsInEveryLayer() throws {
        try withUnion(
            lower: ["f": .whiteout, "d": .whiteout], more: [["f": "x", "d": ["in": "x"], "g": "g"]]
        ) { union throws in
            #expect(try Sys.names(union.mount) == ["g"])
            #expect(failure { _ = try Sys.facts(union["d/in"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test func whiteoutEndsADirectorysStack() throws {
        try withUnion(
            lower: ["d": .whiteout], more: [["d": ["low": "x"]]], upper: ["d": ["top": "y"]]
        ) { union throws in
            #expect(try Sys.names(union["d"]) == ["top"])
        }
    }

    @Test(arguments: ["trusted", "user"])
    func whiteoutAsXattr(prefix: String) throws {
        let marked = TreeNode.file().with("\(prefix).overlay.whiteout", "y")
        let directory = TreeNode.directory(["f": marked, "kept": "k"])
            .with("\(prefix).overlay.opaque", "x")
        try withUnion(lower: ["d": ["f": "x", "g": "y"]], upper: ["d": directory]) { union throws in
            #expect(try Sys.names(union["d"]) == ["g", "kept"])
            #expect(failure { _ = try Sys.facts(union["d/f"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: ["trusted", "user"])
    func opaqueDirectory(prefix: String) throws {
        try withUnion(
            lower: ["d": ["low": "x", "s": ["t": "u"]]], more: [["d": ["lower": "x"]]],
            upper: ["d": .opaque(["top": "y"], prefix: prefix)]
        ) { union throws in
            #expect(try Sys.names(union["d"]) == ["top"])
            #expect(failure { _ = try Sys.facts(union["d/low"]) } == .noSuchFileOrDirectory)
            #expect(failure { _ = try Sys.facts(union["d/s/t"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test func opaqueInALower() throws {
        try withUnion(
            lower: ["d": .opaque(["one": "1"])], more: [["d": ["two": "2"]]], upper: ["d": ["zero": "0"]]
        ) { union throws in
            #expect(try Sys.names(union["d"]) == ["one", "zero"])
        }
    }

    @Test func ociNamesInAnOCILayer() throws {
        let top: Tree = [".wh.gone": "", "d": [".wh..wh..opq": "", "new": "n"]]
        let below: Tree = ["gone": "x", "kept": "k", "d": ["old": "o"]]
        try withUnion(lower: top, more: [below], attributes: ["oci"]) { union throws in
            #expect(try Sys.names(union.mount) == ["d", "kept"])
            #expect(try Sys.names(union["d"]) == ["new"])
            #expect(failure { _ = try Sys.facts(union["gone"]) } == .noSuchFileOrDirectory)
            #expect(failure { _ = try Sys.facts(union["d/old"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test func ociNamesElsewhereAreOrdinary() throws {
        try withUnion(lower: [".wh.f": "mark"], more: [["f": "x"]]) { union throws in
            #expect(try Sys.names(union.mount) == [".wh.f", "f"])
            #expect(try Sys.text(union[".wh.f"]) == "mark")
        }
    }

    @Test func completeLowerListingIsAuthoritative() throws {
        try withUnion(
            lower: ["d": ["l": "1"]], upper: ["d": ["u": "2"], "e": ["u": "3"]],
            options: ["complete=lower"]
        ) { union throws in
            #expect(try Sys.names(union["d"]) == ["l"])
            #expect(try Sys.names(union["e"]) == ["u"])
        }
    }

    @Test func completeCommandMarksAndUnmarks() throws {
        try withUnion(lower: ["d": ["l": "1"]], upper: ["d": ["u": "2"]]) { union throws in
            try union.command("complete", union["d"].text).orThrow()
            #expect(try Sys.names(union["d"]) == ["u"])
            try union.command("complete", union["d"].text, "--off").orThrow()
            #expect(try Sys.names(union["d"]) == ["l", "u"])
        }
    }

    @Test func makingADirectoryOverAWhiteoutMakesItComplete() throws {
        try withUnion(lower: ["d": ["old": "x"]], upper: ["d": .whiteout]) { union throws in
            try Sys.makeDirectory(union["d"])
            #expect(try Sys.names(union["d"]) == [])
            try Sys.put(union["d/new"], "n")
            #expect(try Sys.names(union["d"]) == ["new"])
            try union.restart()
            #expect(try Sys.names(union["d"]) == ["new"])
        }
    }

    @Test func mergedDirectoryShowsOneLinkAndNewestTimes() throws {
        try withUnion(
            lower: ["d": .directory(["l": "1"]).modified(1_500_000_000_000_000_000)],
            upper: ["d": .directory(["u": "2"]).modified(1_400_000_000_000_000_000)]
        ) { union throws in
            let facts = try Sys.facts(union["d"])
            #expect(facts.links == 1)
            #expect(facts.modified == 1_500_000_000_000_000_000)
            try Sys.put(union["d/new"], "")
            #expect(try Sys.facts(union["d"]).modified > 1_600_000_000_000_000_000)
        }
    }

    @Test func mergedDirectoryHasTheTopmostLayersAttributes() throws {
        try withUnion(
            lower: ["d": .directory(["l": "1"], mode: 0o755)],
            upper: ["d": .directory([:], mode: 0o750).owned(by: 12, 34)]
        ) { union throws in
            let facts = try Sys.facts(union["d"])
            #expect(facts.permissions == 0o750 && facts.uid == 12 && facts.gid == 34)
        }
    }

    @Test func symlinksInLayersAreNeverFollowedByTheUnion() throws {
        try withScratch { scratch throws in
            let outside = try scratch.tree("outside", ["secret": "s"])
            try withUnion(lower: ["d": ["inside": "i"]], upper: ["d": .symlink(outside)]) { union throws in
                #expect(try Sys.facts(union["d"]).kind == .symlink)
                #expect(try Sys.readLink(union["d"]) == outside)
            }
            // A layer's directory that becomes a symlink to elsewhere leads nowhere.
            try withUnion(lower: ["d": ["s": ["x": "x"]]], options: ["coherence=check"]) { union throws in
                let open = try Sys.open(union["d/s"], Flag.path | Flag.directory)
                try Sys.rename(union.inLower("d"), union.inLower("moved"))
                try Sys.makeSymlink(union.inLower("d"), to: outside)
                let through = TestPath("/proc/self/fd/\(open.descriptor)")
                #expect(failure { _ = try Sys.facts(through / "secret") } == .noSuchFileOrDirectory)
                #expect(failure { _ = try Sys.facts(union["d/s"], follow: true) } == .noSuchFileOrDirectory)
            }
        }
    }
}

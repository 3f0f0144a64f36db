import SwitchTestKit
import SystemPackage
import Testing

/// unlink and rmdir: the name goes from the union.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct RemovalTests {
    @Test func unlinkRemovesTheNameFromEveryLayer() throws {
        try withUnion(lower: ["d": ["f": "1"]], more: [["d": ["f": "2"]]], upper: ["d": ["f": "0"]]) {
            union throws in
            try Sys.unlink(union["d/f"])
            #expect(failure { _ = try Sys.facts(union["d/f"]) } == .noSuchFileOrDirectory)
            #expect(try !Sys.exists(union.inUpper("d/f")) || Sys.facts(union.inUpper("d/f")).isWhiteout)
            #expect(!Sys.exists(union.inLower("d/f", 0)))
            #expect(!Sys.exists(union.inLower("d/f", 1)))
            try union.restart()
            #expect(try Sys.names(union["d"]) == [])
        }
    }

    @Test func readOnlyLayerIsCovered() throws {
        try withUnion(lower: ["d": ["f": "1", "g": "2"]], attributes: ["ro"]) { union throws in
            try Sys.unlink(union["d/f"])
            #expect(try Sys.names(union["d"]) == ["g"])
            #expect(try Sys.text(union.inLower("d/f")) == "1")
            #expect(try Sys.facts(union.inUpper("d/f")).isWhiteout)
            try Sys.put(union["d/f"], "new")
            #expect(try Sys.text(union["d/f"]) == "new")
            try Sys.unlink(union["d/f"])
            #expect(!Sys.exists(union["d/f"]))
            try union.restart()
            #expect(try Sys.names(union["d"]) == ["g"])
        }
    }

    @Test func whiteoutOffRefuses() throws {
        try withUnion(lower: ["f": "1", "d": [:]], attributes: ["ro"], options: ["whiteout=off"]) {
            union throws in
            #expect(failure { try Sys.unlink(union["f"]) } == .readOnlyFileSystem)
            #expect(failure { try Sys.removeDirectory(union["d"]) } == .readOnlyFileSystem)
            #expect(try Sys.text(union["f"]) == "1")
            #expect(Sys.exists(union["d"]))
        }
    }

    @Test func directoryHiddenBelowAFileIsCoveredNotRemoved() throws {
        try withUnion(lower: ["n": ["in": "x"]], upper: ["n": "file"]) { union throws in
            try Sys.unlink(union["n"])
            #expect(!Sys.exists(union["n"]))
            #expect(try Sys.text(union.inLower("n/in")) == "x")
        }
        try withUnion(lower: ["n": ["in": "x"]], upper: ["n": "file"], options: ["whiteout=off"]) {
            union throws in
            #expect(failure { try Sys.unlink(union["n"]) } == .resourceBusy)
            #expect(try Sys.text(union["n"]) == "file")
        }
    }

    @Test func unlinkOfADirectoryAndRmdirOfAFile() throws {
        try withUnion(lower: ["d": [:], "f": ""]) { union throws in
            #expect(failure { try Sys.unlink(union["d"]) } == .isDirectory)
            #expect(failure { try Sys.removeDirectory(union["f"]) } == .notDirectory)
            #expect(failure { try Sys.unlink(union["none"]) } == .noSuchFileOrDirectory)
            #expect(failure { try Sys.removeDirectory(union["none"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test func rmdirWantsTheUnionEmpty() throws {
        try withUnion(
            lower: ["l": ["f": ""], "m": ["f": ""], "e": [:]], upper: ["u": ["f": ""], "m": [:], "e": [:]]
        ) { union throws in
            for name in ["l", "m", "u"] as [TestPath] {
                #expect(failure { try Sys.removeDirectory(union[name]) } == .directoryNotEmpty, "\(name)")
                #expect(try Sys.names(union[name]) == ["f"])
                try Sys.unlink(union[name] / "f")
                try Sys.removeDirectory(union[name])
                #expect(!Sys.exists(union[name]))
            }
            try Sys.removeDirectory(union["e"])
            #expect(!Sys.exists(union["e"]))
            #expect(!Sys.exists(union.inLower("e")))
            try union.restart()
            #expect(try Sys.names(union.mount) == [])
        }
    }

    @Test func rmdirWithOnlyWhiteoutsAbove() throws {
        try withUnion(lower: ["d": ["f": "x", "s": ["t": ""]]], attributes: ["ro"]) { union throws in
            try Sys.unlink(union["d/f"])
            try Sys.unlink(union["d/s/t"])
            try Sys.removeDirectory(union["d/s"])
            try Sys.removeDirectory(union["d"])
            #expect(try Sys.names(union.mount) == [])
            try Sys.makeDirectory(union["d"])
            #expect(try Sys.names(union["d"]) == [])
            try union.restart()
            #expect(try Sys.names(union["d"]) == [])
            #expect(try Sys.names(union.inLower("d")) == ["f", "s"])
        }
    }

    @Test func rmdirOfALowerWithASkeleton() throws {
        try withUnion(lower: ["d/e": [:]]) { union throws in
            try Sys.put(union["d/e/f"], "")
            #expect(failure { try Sys.removeDirectory(union["d/e"]) } == .directoryNotEmpty)
            #expect(Sys.exists(union.inLower("d/e")))
            try Sys.unlink(union["d/e/f"])
            try Sys.removeDirectory(union["d/e"])
            #expect(!Sys.exists(union.inLower("d/e")))
            #expect(!Sys.exists(union["d/e"]))
            #expect(try Sys.names(union["d"]) == [])
        }
    }

    @Test func aNameMadeAgainIsNew() throws {
        try withUnion(lower: ["d": ["f": "old"]]) { union throws in
            try Sys.unlink(union["d/f"])
            try Sys.removeDirectory(union["d"])
            try Sys.makeDirectory(union["d"])
            #expect(try Sys.names(union["d"]) == [])
            try Sys.put(union["d/f"], "new")
            #expect(try Sys.text(union["d/f"]) == "new")
        }
    }

    @Test func emptyInOneLayerOnlyIsNotEmpty() throws {
        try withUnion(lower: ["d": [:], "t": ["f": ""]], upper: ["d": [:], "t": [:]]) { union throws in
            #expect(failure { try Sys.removeDirectory(union["t"]) } == .directoryNotEmpty)
            #expect(Sys.exists(union.inUpper("t")))
            #expect(Sys.exists(union.inLower("t/f")))
        }
    }
}

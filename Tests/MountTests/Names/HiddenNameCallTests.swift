import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What lies hidden under a name, by calls that must neither reach it nor fail for it.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct HiddenNameCallTests {
    private static let layers: (upper: Tree, lower: Tree, more: Tree) = (
        ["e": "old"], ["e": ["in": "hidden"]], ["s": "source"]
    )

    private func withLayers(_ body: (Union) throws -> Void) throws {
        let (upper, lower, more) = Self.layers
        try withUnion(lower: lower, more: [more], upper: upper, body)
    }

    @Test func moveOverWhatHidesADirectoryBetween() throws {
        try withLayers { union throws in
            #expect(failure { try Sys.rename(union["s"], union["e"]) } == .improperLink)
            #expect(try Sys.names(union.mount) == ["e", "s"])
            try run("mv", "-f", union["s"].text, union["e"].text).orThrow()
            #expect(try Sys.names(union.mount) == ["e"])
            #expect(try Sys.text(union["e"]) == "source")
            #expect(try Sys.text(union.inLower("e/in")) == "hidden")
        }
    }

    @Test(arguments: ["mv", "ln"])
    func aNameThatIsHiddenFromALayerBetween(command: String) throws {
        try withLayers { union throws in
            try Sys.unlink(union["e"])
            let result = try run(command, union["s"].text, union["e"].text)
            #expect(result.succeeded == (command == "mv"))
            #expect(!Sys.exists(union["e/in"]))
            #expect(try Sys.names(union.mount) == (command == "mv" ? ["e"] : ["s"]))
            #expect(try Sys.text(union[command == "mv" ? "e" : "s"]) == "source")
        }
    }

    @Test(arguments: ["lower", "fallback"])
    func touchOfANameThatAWhiteoutHides(policy: String) throws {
        try withUnion(
            lower: ["f": "hidden", "d": ["in": ""]], upper: ["f": .whiteout, "d": .whiteout],
            options: ["create=\(policy)", "mkdir=\(policy)"]
        ) { union throws in
            try Sys.touch(union["f"])
            #expect(try Sys.text(union["f"]) == "")
            try Sys.makeDirectory(union["d"])
            #expect(try Sys.names(union["d"]) == [])
            #expect(try Sys.text(union.inLower("f")) == "hidden")
        }
    }

    /// What is made in a whiteout's place gets what its directory gives: group, mode and default ACL.
    @Test func whatReplacesAWhiteoutInheritsFromItsDirectory() throws {
        try withUnion(
            lower: ["d": ["f": "hidden", "s": "", "n": ["x": ""]]], upper: [:], attributes: ["ro"]
        ) { union throws in
            try Sys.changeOwner(union.inLower("d"), uid: 0, gid: 4242)
            try Sys.changeMode(union.inLower("d"), 0o2777)
            for name in ["f", "s"] as [TestPath] { try Sys.unlink(union["d" / name]) }
            try Sys.unlink(union["d/n/x"])
            try Sys.removeDirectory(union["d/n"])
            try acting(as: Identity(uid: 1234, gid: 1234)) {
                try Sys.put(union["d/f"], "new")
                try Sys.makeSymlink(union["d/s"], to: "f")
                try Sys.makeDirectory(union["d/n"])
            }
            for name in ["f", "s", "n"] as [TestPath] {
                let facts = try Sys.facts(union["d" / name])
                #expect(facts.uid == 1234)
                #expect(facts.gid == 4242)
            }
            #expect(try Sys.facts(union["d/n"]).permissions & 0o2000 != 0)
            #expect(try Sys.names(union["d/n"]) == [])
            let work = try #require(union.work)
            #expect(try Sys.names(work / "switchfs") == [])
        }
    }

    /// What a skeleton held that lost its origin doesn't hide anything of what comes to its name.
    @Test(arguments: ["keep", "hide"])
    func anUnseenOrphanMakesRoomForADirectoryOfALower(policy: String) throws {
        try withUnion(
            lower: ["t": ["a": ""], "x": ["a": "moved", "b": ""]], more: [["t": ["a": ""]]],
            attributes: ["", "ro"], options: ["orphans=\(policy)"]
        ) { union throws in
            try Sys.unlink(union["t/a"])
            for index in 0..<2 { Sys.removeTree(union.inLower("t", index)) }
            try union.control.synchronize()
            #expect(try Sys.names(union.mount) == ["x"])
            try Sys.rename(union["x"], union["t"])
            #expect(try Sys.names(union["t"]) == ["a", "b"])
            #expect(try Sys.text(union["t/a"]) == "moved")
            #expect(Sys.exists(union.inLower("t/a")))
        }
    }
}

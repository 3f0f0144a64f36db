import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Where an object of the rename matrix stands.
enum Place: String, CaseIterable, Sendable {
    case upper, lower, both

    /// The layer that owns what stands there.
    var owner: Place { self == .lower ? .lower : .upper }

    /// A name put there.
    func put(_ name: TestPath, _ node: (String) -> TreeNode, upper: inout Tree, lower: inout Tree) {
        if self != .lower { upper.entries.append((name: name, node: node("upper"))) }
        if self != .upper { lower.entries.append((name: name, node: node("lower"))) }
    }
}

@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct RenameTests {
    /// A file in each place onto a name in each place, in the root that all layers back.
    @Test(arguments: Place.allCases, [Place?.none] + Place.allCases.map { $0 })
    func fileOntoFile(source: Place, target: Place?) throws {
        var (upper, lower) = (Tree([]), Tree([]))
        source.put("a", { .file("a-\($0)") }, upper: &upper, lower: &lower)
        target?.put("b", { .file("b-\($0)") }, upper: &upper, lower: &lower)
        try withUnion(lower: lower, upper: upper) { union throws in
            let inode = try Sys.facts(union["a"]).inode
            let content = try Sys.text(union["a"])
            try Sys.rename(union["a"], union["b"])
            #expect(try Sys.text(union["b"]) == content)
            #expect(try Sys.facts(union["b"]).inode == inode)
            #expect(failure { _ = try Sys.facts(union["a"]) } == .noSuchFileOrDirectory)
            #expect(try Sys.names(union.mount) == ["b"])
            // A target in a lower layer is hidden, not deleted, when the source is above it.
            if source == .upper, target == .lower {
                #expect(try Sys.text(union.inLower("b")) == "b-lower")
            }
            // The old name gives nothing back, now or after a remount.
            try union.restart()
            #expect(try Sys.names(union.mount) == ["b"])
            #expect(try Sys.text(union["b"]) == content)
            #expect(try Sys.facts(union["b"]).inode == inode)
        }
    }

    @Test(arguments: Place.allCases, Place.allCases)
    func noReplace(source: Place, target: Place) throws {
        var (upper, lower) = (Tree([]), Tree([]))
        source.put("a", { .file("a-\($0)") }, upper: &upper, lower: &lower)
        target.put("b", { .file("b-\($0)") }, upper: &upper, lower: &lower)
        try withUnion(lower: lower, upper: upper) { union throws in
            let before = try Snapshot(union.mount)
            #expect(
                failure { try Sys.rename(union["a"], union["b"], flags: Flag.renameNoReplace) } == .fileExists
            )
            #expect(try Snapshot(union.mount).differences(from: before) == [])
            let content = try Sys.text(union["a"])
            try Sys.rename(union["a"], union["c"], flags: Flag.renameNoReplace)
            #expect(try Sys.text(union["c"]) == content)
            #expect(!Sys.exists(union["a"]))
        }
    }

    /// Two names change places where one layer owns both, whatever lies hidden below either. Elsewhere it would need a
    /// copy: EXDEV, and nothing has happened in any layer.
    @Test(arguments: Place.allCases, Place.allCases)
    func exchange(source: Place, target: Place) throws {
        var (upper, lower) = (Tree([]), Tree([]))
        source.put("a", { .file("a-\($0)") }, upper: &upper, lower: &lower)
        target.put("b", { .file("b-\($0)") }, upper: &upper, lower: &lower)
        try withUnion(lower: lower, upper: upper) { union throws in
            let (a, b) = (try Sys.text(union["a"]), try Sys.text(union["b"]))
            let layers = [union.upper, union.lowers[0]].compactMap { $0 }
            let before = try layers.map { try Snapshot($0) }
            let error = failure { try Sys.rename(union["a"], union["b"], flags: Flag.renameExchange) }
            if source.owner == target.owner {
                #expect(error == nil)
                #expect(try Sys.text(union["a"]) == b)
                #expect(try Sys.text(union["b"]) == a)
            } else {
                #expect(error == .improperLink)
                #expect(try Sys.text(union["a"]) == a)
                #expect(try Sys.text(union["b"]) == b)
                for (layer, before) in zip(layers, before) {
                    #expect(try Snapshot(layer).differences(from: before) == [])
                }
            }
            #expect(
                failure { try Sys.rename(union["a"], union["none"], flags: Flag.renameExchange) }
                    == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: ["upper", "lower"])
    func pureDirectory(place: String) throws {
        let tree: Tree = ["d": ["f": "x", "s": ["t": "y"]], "to": [:]]
        try withUnion(
            lower: place == "lower" ? tree : ["to": [:]], upper: place == "upper" ? tree : [:]
        ) { union throws in
            let inode = try Sys.facts(union["d"]).inode
            try Sys.rename(union["d"], union["e"])
            try Sys.rename(union["e"], union["to/e"])
            #expect(try Sys.facts(union["to/e"]).inode == inode)
            #expect(try Sys.text(union["to/e/s/t"]) == "y")
            #expect(try Sys.names(union.mount) == ["to"])
            try union.restart()
            #expect(try Sys.text(union["to/e/s/t"]) == "y")
        }
    }

    @Test func objectsOfAReadOnlyLayerAreEXDEV() throws {
        try withUnion(lower: ["f": "x", "d": ["g": "y"]], attributes: ["ro"]) { union throws in
            for name in ["f", "d"] as [TestPath] {
                #expect(failure { try Sys.rename(union[name], union["n"]) } == .improperLink)
                try run("mv", union[name].text, union["moved"].text).orThrow()
                #expect(!Sys.exists(union[name]))
                #expect(Sys.exists(union["moved"]))
                try run("rm", "-r", union["moved"].text).orThrow()
            }
            #expect(try Sys.names(union.mount) == [])
            #expect(try Sys.names(union.lowers[0]) == ["d", "f"])
        }
    }

    @Test func newParentThatTheOwnersLayerLacks() throws {
        try withUnion(lower: ["f": "x"], upper: ["u": [:]]) { union throws in
            #expect(failure { try Sys.rename(union["f"], union["u/f"]) } == .improperLink)
            #expect(try Sys.text(union["f"]) == "x")
        }
    }

    @Test func upperFileIntoALowerDirectoryMakesItsSkeleton() throws {
        try withUnion(lower: ["d/e": ["l": ""]], upper: ["f": "x"]) { union throws in
            let inode = try Sys.facts(union["d/e"]).inode
            try Sys.rename(union["f"], union["d/e/f"])
            #expect(try Sys.text(union.inUpper("d/e/f")) == "x")
            #expect(try Sys.names(union["d/e"]) == ["f", "l"])
            #expect(try Sys.facts(union["d/e"]).inode == inode)
        }
    }

    @Test func directoryTargets() throws {
        try withUnion(
            lower: ["d": [:], "full": ["x": ""], "f": "", "low": [:]],
            upper: ["u": ["in": "i"], "empty": [:], "half": [:]]
        ) { union throws in
            #expect(failure { try Sys.rename(union["u"], union["full"]) } == .directoryNotEmpty)
            #expect(failure { try Sys.rename(union["u"], union["f"]) } == .notDirectory)
            #expect(failure { try Sys.rename(union["f"], union["d"]) } == .isDirectory)
            #expect(failure { try Sys.rename(union["u"], union["u/sub"]) } == .invalidArgument)
            try Sys.rename(union["u"], union["empty"])
            #expect(try Sys.names(union["empty"]) == ["in"])
            // One that shows nothing in a lower layer is hidden: what comes to stand over it is marked complete.
            try Sys.rename(union["empty"], union["low"])
            #expect(try Sys.names(union["low"]) == ["in"])
            #expect(!Sys.exists(union["empty"]))
            #expect(Sys.exists(union.inLower("low")))
        }
    }

    @Test func targetDirectoryEmptyInOneLayerOnly() throws {
        try withUnion(lower: ["t": ["x": ""]], upper: ["s": [:], "t": [:]]) { union throws in
            #expect(failure { try Sys.rename(union["s"], union["t"]) } == .directoryNotEmpty)
            #expect(try Sys.names(union["t"]) == ["x"])
        }
    }

    @Test func hiddenNamesNeverComeBackThroughChains() throws {
        try withUnion(
            lower: ["a": "a1", "b": "b1", "c": "c1"], more: [["a": "a2", "b": "b2", "c": "c2"]],
            upper: ["a": "a0", "b": "b0"]
        ) { union throws in
            try Sys.rename(union["a"], union["t"])
            #expect(try Sys.names(union.mount) == ["b", "c", "t"])
            try Sys.rename(union["b"], union["a"])
            try Sys.rename(union["c"], union["b"])
            try Sys.rename(union["t"], union["c"])
            #expect(try ["a", "b", "c"].map { try Sys.text(union[$0]) } == ["b0", "c1", "a0"])
            try union.restart()
            #expect(try ["a", "b", "c"].map { try Sys.text(union[$0]) } == ["b0", "c1", "a0"])
            for name in ["a", "b", "c"] as [TestPath] { try Sys.unlink(union[name]) }
            #expect(try Sys.names(union.mount) == [])
        }
    }

    @Test func hiddenDirectoryUnderTheOldNameIsCovered() throws {
        try withUnion(lower: ["n": ["in": "x"]], upper: ["n": "file"]) { union throws in
            try Sys.rename(union["n"], union["m"])
            #expect(try Sys.names(union.mount) == ["m"])
            #expect(try Sys.text(union.inLower("n/in")) == "x")
        }
    }

    /// While a name is replaced over and over, one who looks always finds one of the two.
    @Test(arguments: Place.allCases)
    func neverAMomentWithout(target: Place) throws {
        var (upper, lower) = (Tree([]), Tree([]))
        target.put("t", { _ in .file("old") }, upper: &upper, lower: &lower)
        try withUnion(lower: lower, upper: upper) { union throws in
            let (name, fresh) = (union["t"], union["new"])
            let misses = Flagged()
            try together([
                { @Sendable in
                    for _ in 0..<300 {
                        try Sys.put(fresh, "new")
                        try Sys.rename(fresh, name)
                    }
                    misses.finish()
                },
                { @Sendable in while !misses.finished { if !Sys.exists(name) { misses.add() } } },
            ])
            #expect(misses.count == 0)
            #expect(try Sys.names(union.mount) == ["t"])
        }
    }
}

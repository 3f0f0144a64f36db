import SwitchTestKit
import Testing

/// Directory listings: merged, pure, and while they change.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ListingTests {
    @Test func mergedListsEachNameOnce() throws {
        try withUnion(
            lower: ["both": "l", "l1": "", "x": .whiteout], more: [["both": "m", "l2": "", "x": "hidden"]],
            upper: ["both": "u", "u1": "", "d": [:]]
        ) { union throws in
            #expect(try Sys.names(union.mount) == ["both", "d", "l1", "l2", "u1"])
        }
    }

    @Test func dotAndDotDotAreRight() throws {
        try withUnion(lower: ["d/e": ["f": ""]], upper: ["d": ["g": ""]]) { union throws in
            for path in ["d", "d/e"].map({ union[TestPath($0)] }) {
                let entries = try ListingReader(path).rest()
                #expect(entries.filter { $0.name == "." }.map(\.inode) == [try Sys.facts(path).inode])
                #expect(
                    entries.filter { $0.name == ".." }.map(\.inode) == [try Sys.facts(path.parent).inode])
            }
        }
    }

    @Test func typesAndNumbersEqualStat() throws {
        let tree: Tree = [
            "f": "x", "d": [:], "s": .symlink("f"), "p": .fifo(), "k": .socket(), "c": .character(1, 3),
            "b": .block(7, 99), "h": .link("f"),
        ]
        let one: Tree = ["l": ""]
        let two: Tree = ["u": "", "d": ["x": ""]]
        let pairs: [(Tree, Tree?)] = [(tree, nil), (one, tree), (tree, two)]
        for (lower, upper) in pairs {
            try withUnion(lower: lower, upper: upper) { union throws in
                for entry in try Sys.list(union.mount) {
                    let facts = try Sys.facts(union[entry.name])
                    #expect(entry.kind == facts.kind, "\(entry.name)")
                    #expect(entry.inode == facts.inode, "\(entry.name)")
                }
            }
        }
    }

    @Test func bookkeepingIsHidden() throws {
        try withUnion(lower: ["d/e": ["f": "x"]], attributes: ["ro"]) { union throws in
            try Sys.put(union["d/e/new"], "n")
            try Sys.unlink(union["d/e/f"])
            #expect(try Sys.names(union.mount) == ["d"])
            #expect(try Sys.names(union["d"]) == ["e"])
            #expect(try Sys.names(union["d/e"]) == ["new"])
        }
    }

    /// An entry that stays shows exactly once, whatever comes and goes in the meantime: through the
    /// union, in the upper, in the lower.
    @Test(arguments: [true, false], ["union", "upper", "lower"].flatMap { [($0, "check"), ($0, "watch")] })
    func stableEntriesShowExactlyOnce(merged: Bool, under: (place: String, mode: String)) throws {
        let place = under.place
        var stable: Set<TestPath> = []
        var lower = Tree([])
        var upper = Tree([])
        for index in 0..<400 {
            let name = TestPath("stable-\(index)")
            stable.insert(name)
            if merged && index % 2 == 0 {
                upper.entries.append((name: "d" / name, node: ""))
            } else {
                lower.entries.append((name: "d" / name, node: ""))
            }
        }
        for index in 0..<100 { lower.entries.append((name: "d/goes-\(index)", node: "")) }
        try withUnion(lower: lower, upper: upper, options: ["coherence=\(under.mode)"]) { union throws in
            let root =
                place == "upper" && merged
                ? union.inUpper("d")
                : place == "union" ? union["d"] : union.inLower("d")
            let reader = try ListingReader(union["d"], bufferSize: 512)
            var seen: [TestPath] = []
            var step = 0
            while let entry = try reader.next() {
                seen.append(entry.name)
                if step % 3 == 0 { try Sys.put(root / "new-\(step)", "") }
                if step % 5 == 0, step / 5 < 100 { try? Sys.unlink(root / "goes-\(step / 5)") }
                step += 1
                if step > 5000 { break }
            }
            let kept = seen.filter(stable.contains)
            #expect(Set(kept) == stable)
            #expect(kept.count == stable.count, "listed more than once")
            #expect(seen.filter { $0 == "." || $0 == ".." }.count == 2)
        }
    }

    @Test(arguments: [Tree?.some(["u1": "", "u2": "", "u3": ""]), nil])
    func seeksAndRewinds(upper: Tree?) throws {
        var lower = Tree([])
        for index in 0..<60 { lower.entries.append((name: "entry-\(index)", node: "")) }
        try withUnion(lower: lower, upper: upper) { union throws in
            let reader = try ListingReader(union.mount, bufferSize: 256)
            let all = try reader.rest()
            for at in stride(from: 0, to: all.count, by: 7) {
                try reader.seek(to: all[at].next)
                #expect(try reader.rest().map(\.name) == all[(at + 1)...].map(\.name))
            }
            try Sys.put(union.mount / (upper == nil ? "entry-0" : "later"), "")
            try reader.seek(to: 0)
            let again = Set(try reader.rest().map(\.name))
            #expect(again.isSuperset(of: all.map(\.name)))
            if upper != nil { #expect(again.contains("later")) }
        }
    }

    @Test func removingEverythingWhileListing() throws {
        var lower = Tree([])
        for index in 0..<500 { lower.entries.append((name: "d/f\(index)", node: "")) }
        for upper in [[:], ["d": ["u": ""]]] as [Tree] {
            try withUnion(lower: lower, upper: upper) { union throws in
                try run("rm", "-rf", union["d"].text).orThrow()
                #expect(!Sys.exists(union["d"]))
                #expect(!Sys.exists(union.inLower("d")))
            }
        }
    }

    /// What the server has read ahead for a client that went away isn't shown to another one.
    @Test(arguments: ["union", "upper", "lower"], ["watch", "check"])
    func passesThatAreGivenUpLeaveNothing(place: String, mode: String) throws {
        var lower = Tree([])
        for index in 0..<1500 { lower.entries.append((name: TestPath("d/entry-\(index)"), node: "")) }
        try withUnion(
            lower: place == "lower" ? lower : [:], upper: place == "lower" ? [:] : lower,
            options: ["coherence=\(mode)"]
        ) { union throws in
            let layer = place == "lower" ? union.inLower("d") : union.inUpper("d")
            let root = place == "union" ? union["d"] : layer
            for step in 0..<8 {
                let reader = try ListingReader(union["d"], bufferSize: 4096)
                for _ in 0..<(step * 40 + 1) { _ = try reader.next() }
                try Sys.put(root / "new-\(step)", "")
                try Sys.unlink(root / "entry-\(step * 150 + 7)")
                if mode == "watch" { try union.control.synchronize() }
                #expect(try Sys.names(union["d"]) == Sys.names(layer), "step \(step)")
            }
        }
    }

    /// Directories that are read by two threads.
    @Test func largeDirectoriesMerge() throws {
        var trees = (0..<3).map { _ in Tree([]) }
        for index in 0..<12_000 {
            for layer in 0..<3 where index % (layer + 2) == 0 {
                trees[layer].entries.append((name: TestPath("d/entry-\(index)"), node: ""))
            }
        }
        let expected = (0..<12_000).filter { $0 % 2 == 0 || $0 % 3 == 0 }
            .map { TestPath("entry-\($0)") }
        try withUnion(lower: trees[1], more: [trees[2]], upper: trees[0]) { union throws in
            for _ in 0..<5 {
                #expect(Set(try Sys.names(union["d"])) == Set(expected))
                let entries = try ListingReader(union["d"], bufferSize: 4096).rest()
                #expect(entries.count == expected.count + 2)
                try Sys.put(union.inLower("d") / "gone", "")
                try Sys.unlink(union.inLower("d") / "gone")
                try union.control.synchronize()
            }
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// The server is killed between any two system calls of a rename of several steps, and again while the next one puts
/// that right: after that the object has the one name or the other, and nothing is lost.
@Suite(
    .serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"),
    .enabled(if: Machine.hasProgram("strace"), "needs strace"))
struct RenameCrashTests {
    /// Calls that change what is on disk, or come between such.
    static let calls = ["renameat2", "unlinkat", "mknodat", "fdatasync", "lsetxattr"]

    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var upper: Tree
        var lower: Tree
        var low: Tree
        /// Names that the upper has whiteouts for.
        var whiteouts: [TestPath] = []
        /// Of the lowers.
        var attributes: [String] = []
        /// The two names are exchanged.
        var exchanges = false

        func rename(in mount: TestPath) throws(Errno) {
            try Sys.rename(mount / "d", mount / "e", flags: exchanges ? Flag.renameExchange : 0)
        }
    }

    /// The real renames of a merged directory.
    static let merged = [
        Case(
            description: "to a free name", upper: ["d": ["u": "2"]],
            lower: ["d": ["l": "1", "s": ["t": ""]]],
            low: ["d": ["m": "3"]]),
        Case(
            description: "over a directory, with something below", upper: ["d": ["u": "2"], "e": [:]],
            lower: ["d": ["l": "1"], "e": [:]], low: ["e": ["ghost": ""]], whiteouts: ["e/ghost"]),
        Case(
            description: "over a whiteout, with something hidden below the old name",
            upper: ["d": ["u": "2"]],
            lower: ["d": .directory(["l": "1"]).with("trusted.switchfs.complete", "y"), "e": [:]],
            low: ["d": ["under": ""]], whiteouts: ["e"]),
        Case(
            description: "of lowers alone, over the upper's directory", upper: ["e": [:]],
            lower: ["d": ["l": "1"], "e": [:]], low: ["d": ["m": "3"], "e": [:]]),
    ]

    /// Something has to go at one of the names, in another layer than the object's.
    static let single = [
        Case(
            description: "a lower's file over the upper's", upper: ["e": "upper"],
            lower: ["d": "moving", "e": "high"], low: ["e": "low"]),
        Case(
            description: "a lower's file over files of two layers", upper: ["e": "upper"],
            lower: ["e": "high"], low: ["d": "moving"]),
        Case(
            description: "a lower's file over its second name, which the upper hides", upper: ["e": "upper"],
            lower: ["d": "moving", "e": .link("d")], low: [:]),
        Case(
            description: "a lower's file, and the old name is covered", upper: [:],
            lower: ["d": "moving"], low: ["d": "hidden"], attributes: ["", "ro"]),
        Case(
            description: "a lower's file, the old name is covered, over the upper's", upper: ["e": "upper"],
            lower: ["d": "moving", "e": "high"], low: ["d": "hidden", "e": "low"], attributes: ["", "ro"]),
        Case(
            description: "a lower's directory over the upper's", upper: ["e": [:]],
            lower: ["d": ["l": "1"], "e": [:]], low: [:]),
        Case(
            description: "a lower's directory where another one has stood", upper: [:],
            lower: ["d": ["l": "1"]], low: ["e": [:]]),
        Case(
            description: "the upper's directory over a whiteout", upper: ["d": ["l": "1"]],
            lower: ["e": ["ghost": ""]], low: [:], whiteouts: ["e"]),
        Case(
            description: "the upper's directory over its own, with whiteouts below",
            upper: ["d": ["l": "1"], "e": [:]], lower: ["e": ["ghost": ""]], low: [:],
            whiteouts: ["e/ghost"]),
        Case(
            description: "the upper's directory over a whiteout, and the old name is covered",
            upper: ["d": .directory(["l": "1"]).with("trusted.switchfs.complete", "y")],
            lower: ["d": ["under": ""], "e": ["ghost": ""]], low: [:], whiteouts: ["e"],
            attributes: ["ro"]),
        Case(
            description: "two directories exchanged, of which one must be marked",
            upper: [
                "d": ["l": "1"],
                "e": .directory(["x": "2"]).with("trusted.switchfs.complete", "y"),
            ], lower: ["e": ["ghost": ""]], low: [:], exchanges: true),
    ]

    @Test(arguments: merged)
    func ofMergedDirectories(_ testCase: Case) throws {
        // A real rename in each layer, the record's end, and whether it is on disk.
        try killAtEachPoint(testCase, atLeast: 5)
    }

    @Test(arguments: single)
    func ofOneLayersObjects(_ testCase: Case) throws {
        // The rename, what has to go or to cover, the record's end, and whether it is on disk.
        try killAtEachPoint(testCase, atLeast: 4)
    }

    private func killAtEachPoint(_ testCase: Case, atLeast expectedKills: Int) throws {
        let before = try withScratch { scratch throws in
            let (upper, lowers) = try layers(testCase, scratch)
            return try withUnion(
                in: scratch, upper: upper, lowers: lowers, attributes: testCase.attributes
            ) { try Snapshot($0.mount) }
        }
        var kills = 0
        for call in Self.calls {
            var count = 1
            while count < 20, try isKilled(testCase, at: call, count, before) { count += 1 }
            #expect(count < 20)
            kills += count - 1
        }
        #expect(kills >= expectedKills, "\(kills)")
    }

    private func layers(
        _ testCase: Case, _ scratch: Scratch
    ) throws -> (upper: TestPath, lowers: [TestPath]) {
        let upper = try scratch.tree("upper", testCase.upper)
        for name in testCase.whiteouts { try Sys.makeNode(upper / name, mode: S_IFCHR) }
        return (upper, [try scratch.tree("high", testCase.lower), try scratch.tree("low", testCase.low)])
    }

    /// Nothing is kept, and so nothing dropped: a thread that waits for a directory's lock to drop something can't be
    /// killed, the device stays open, and the caller, which has that lock, is never answered.
    private static let options = ["coherence=check"]

    /// The server was killed when one layer had it under the new name; in another one nothing may be changed at the next
    /// mount: it goes back.
    @Test func undoneWhereItCannotBeFinished() throws {
        try withScratch { scratch throws in
            let upper = try scratch.tree("upper", ["d": ["u": "2"]])
            let lowers = [
                try scratch.tree("high", ["d": ["l": "1"]]), try scratch.tree("low", ["d": ["m": "3"]]),
            ]
            let kill = Tracing.launcher("renameat2", "signal=KILL:when=2")
            let union = try Union(
                in: scratch, upper: upper, lowers: lowers, options: Self.options, launcher: kill)
            #expect(failure { try Sys.rename(union["d"], union["e"]) } != nil)
            union.crash()
            #expect(try Sys.names(lowers[1]) == ["e"])
            try withUnion(in: scratch, name: "after", upper: upper, lowers: lowers, attributes: ["ro"]) {
                union throws in
                #expect(try Sys.names(union.mount) == ["d"])
                #expect(try Sys.names(union["d"]) == ["l", "m", "u"])
            }
        }
    }

    /// False: there are not so many such calls.
    private func isKilled(
        _ testCase: Case, at call: String, _ count: Int, _ before: Snapshot
    ) throws -> Bool {
        try withScratch { scratch throws in
            let (upper, lowers) = try layers(testCase, scratch)
            let kill = Tracing.launcher(call, "signal=KILL:when=\(count)")
            let union = try Union(
                in: scratch, upper: upper, lowers: lowers, attributes: testCase.attributes,
                options: Self.options, launcher: kill)
            let error = failure { try testCase.rename(in: union.mount) }
            guard error != nil else {
                let after = try Snapshot(union.mount)
                #expect(after.differences(from: expected(testCase, before)) == [])
                try union.stop()
                try check(testCase, upper, lowers, scratch, before, "\(call) \(count), not reached")
                return false
            }
            union.crash()
            // Killed once more while that is put right.
            if call == "renameat2" {
                let kill = Tracing.launcher("renameat2", "signal=KILL:when=1")
                let second = try? Union(
                    in: scratch, name: "again", upper: upper, lowers: lowers,
                    attributes: testCase.attributes, options: Self.options, launcher: kill)
                second?.crash()
            }
            try check(testCase, upper, lowers, scratch, before, "\(call) \(count)")
            return true
        }
    }

    /// What a user sees then: the object has another name.
    private func expected(_ before: Snapshot, as name: TestPath = "e") -> Snapshot {
        var items: [TestPath: Snapshot.Item] = [:]
        for (path, item) in before.items where !isAt(name, path) {
            items[isAt("d", path) ? TestPath(name.text + path.text.dropFirst()) : path] = item
        }
        return Snapshot(items: items)
    }

    private func expected(_ testCase: Case, _ before: Snapshot) -> Snapshot {
        guard testCase.exchanges else { return expected(before) }
        let items = before.items.map { path, item in
            let name = path.text.first == "d" ? "e" : "d"
            return (TestPath(name + path.text.dropFirst()), item)
        }
        return Snapshot(items: Dictionary(uniqueKeysWithValues: items))
    }

    private func isAt(_ name: TestPath, _ path: TestPath) -> Bool {
        path == name || path.text.hasPrefix(name.text + "/")
    }

    private func check(
        _ testCase: Case, _ upper: TestPath, _ lowers: [TestPath], _ scratch: Scratch, _ before: Snapshot,
        _ point: String
    ) throws {
        try withUnion(
            in: scratch, name: "after", upper: upper, lowers: lowers, attributes: testCase.attributes
        ) { union throws in
            let after = try Snapshot(union.mount)
            let isOld = after.differences(from: before) == []
            let isNew = after.differences(from: expected(testCase, before)) == []
            if isOld { try checkMarks(testCase, upper, lowers, scratch, point) }
            #expect(isOld || isNew, "\(point): \(after.differences(from: before))")
            let left = ((try? Sys.names(upper + ".work/switchfs")) ?? []).filter { $0 != "orphans" }
            #expect(left == [], "\(point)")
            if testCase.exchanges { return }
            // And it can be renamed on.
            let name: TestPath = isOld ? "d" : "e"
            try Sys.rename(union[name], union["further"])
            let further = expected(isOld ? before : without("e", before), as: "further")
            #expect(try Snapshot(union.mount).differences(from: further) == [], "\(point)")
        }
    }

    /// What doesn't move isn't marked for it.
    private func checkMarks(
        _ testCase: Case, _ upper: TestPath, _ lowers: [TestPath], _ scratch: Scratch, _ point: String
    ) throws {
        let trees = [testCase.upper, testCase.lower, testCase.low]
        for (layer, tree) in zip([upper] + lowers, trees) where Sys.exists(layer / "d") {
            let fresh = try scratch.tree("fresh-\(layer.name)", tree)
            let had = (try? Sys.xattrs(fresh / "d")) ?? []
            let new = try Sys.xattrs(layer / "d").filter { $0.contains("complete") && !had.contains($0) }
            #expect(new == [], "\(point)")
        }
    }

    private func without(_ name: TestPath, _ snapshot: Snapshot) -> Snapshot {
        Snapshot(items: snapshot.items.filter { !isAt(name, $0.key) })
    }
}

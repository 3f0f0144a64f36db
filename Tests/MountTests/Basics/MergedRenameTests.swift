import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Directories that several layers back are renamed in all of them, as one step.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct MergedRenameTests {
    private static let modes = [[], ["coherence=check"]]

    @Test(arguments: modes)
    func upperAndLower(options: [String]) throws {
        try withUnion(
            lower: ["d": ["l": "1", "s": ["t": "3"]], "to": [:]], upper: ["d": ["u": "2"], "to": [:]],
            options: options
        ) { union throws in
            let inodes = try ["d", "d/l", "d/u", "d/s"].map { try Sys.facts(union[$0]).inode }
            try Sys.rename(union["d"], union["e"])
            #expect(try Sys.names(union.mount) == ["e", "to"])
            #expect(!Sys.exists(union["d"]))
            try Sys.rename(union["e"], union["to/f"])
            #expect(try Sys.names(union["to/f"]) == ["l", "s", "u"])
            #expect(
                try ["to/f", "to/f/l", "to/f/u", "to/f/s"].map { try Sys.facts(union[$0]).inode } == inodes)
            // Nothing was copied.
            #expect(try Sys.names(union.inLower("to/f")) == ["l", "s"])
            #expect(try Sys.names(union.inUpper("to/f")) == ["u"])
            #expect(try Sys.names(union.mount) == ["to"])
            let before = try Snapshot(union.mount, inodes: true)
            try union.restart()
            #expect(try Snapshot(union.mount, inodes: true).differences(from: before) == [])
        }
    }

    /// A skeleton goes on standing for the directory that moved with it.
    @Test(arguments: ["keep", "hide"], modes)
    func skeletonMovesWithItsOrigin(orphans: String, options: [String]) throws {
        try withUnion(
            lower: ["d": .directory(["l": "1", "s": ["t": "3"]], mode: 0o751)],
            options: options + ["orphans=\(orphans)"]
        ) { union throws in
            try Sys.put(union["d/u"], "2")
            try Sys.put(union["d/s/v"], "4")
            let before = try Sys.facts(union["d"])
            try Sys.rename(union["d"], union["e"])
            let after = try Sys.facts(union["e"])
            #expect(after.inode == before.inode && after.mode == before.mode)
            #expect(try Sys.names(union["e"]) == ["l", "s", "u"])
            #expect(try Sys.names(union["e/s"]) == ["t", "v"])
            #expect(try union.layer(of: "e") == "1")
            #expect(try union.command("orphans", union.mount.text).orThrow().output == "")
            try Sys.put(union["e/s/w"], "5")
            try union.restart()
            #expect(try Sys.names(union["e/s"]) == ["t", "v", "w"])
            #expect(try union.layer(of: "e/s") == "1")
            // Its origin's end is its end, where orphans are hidden.
            try run("rm", "-r", union.inLower("e").text).orThrow()
            try union.synchronize()
            #expect(Sys.exists(union["e"]) == (orphans == "keep"))
            #expect(try Sys.names(union.inUpper("")) == ["e"])
        }
    }

    @Test(arguments: modes)
    func twoLowersAndTheUpper(options: [String]) throws {
        try withUnion(
            lower: ["d": ["l": "1", "both": "high"]], more: [["d": ["m": "2", "both": "low"]]],
            upper: ["d": ["u": "0"]], options: options
        ) { union throws in
            try Sys.rename(union["d"], union["e"])
            #expect(try Sys.names(union["e"]) == ["both", "l", "m", "u"])
            #expect(try Sys.text(union["e/both"]) == "high")
            #expect(try Sys.names(union.lowers[1]) == ["e"])
            try union.restart()
            #expect(try Sys.names(union["e"]) == ["both", "l", "m", "u"])
        }
    }

    @Test func withoutTheUpper() throws {
        try withUnion(lower: ["d": ["l": "1"]], more: [["d": ["m": "2"]]]) { union throws in
            try Sys.rename(union["d"], union["e"])
            #expect(try Sys.names(union["e"]) == ["l", "m"])
            #expect(try Sys.names(union.inUpper("")) == [])
        }
    }

    /// Whiteouts and complete marks in it hide what they hid.
    @Test func whatItHidesStaysHidden() throws {
        try withUnion(lower: ["d": ["gone": "1", "l": "2", "s": ["ghost": ""]]]) { union throws in
            try Sys.put(union["d/u"], "3")
            try Sys.unlink(union["d/l"])
            try Sys.makeNode(union.inUpper("d/gone"), mode: S_IFCHR)
            try union.synchronize()
            try run("rm", "-r", union["d/s"].text).orThrow()
            try Sys.makeDirectory(union["d/s"])
            try Sys.rename(union["d"], union["e"])
            #expect(try Sys.names(union["e"]) == ["s", "u"])
            #expect(try Sys.names(union["e/s"]) == [])
            try union.restart()
            #expect(try Sys.names(union["e"]) == ["s", "u"])
        }
    }

    @Test(arguments: modes)
    func overADirectoryThatIsEmptyForUsers(options: [String]) throws {
        try withUnion(
            lower: ["d": ["l": "1"], "t": ["x": ""], "full": ["y": ""]], upper: ["d": ["u": "2"]],
            options: options
        ) { union throws in
            #expect(failure { try Sys.rename(union["d"], union["full"]) } == .directoryNotEmpty)
            #expect(
                failure { try Sys.rename(union["d"], union["t"], flags: Flag.renameNoReplace) } == .fileExists
            )
            // A skeleton with whiteouts remains.
            try Sys.put(union["t/z"], "")
            try Sys.unlink(union["t/z"])
            try Sys.unlink(union["t/x"])
            try Sys.rename(union["d"], union["t"])
            #expect(try Sys.names(union["t"]) == ["l", "u"])
            #expect(try Sys.names(union.mount) == ["full", "t"])
            #expect(try Sys.names(union.inLower("t")) == ["l"])
            #expect(try Sys.names(union.lowers[0]) == ["full", "t"])
            try union.restart()
            #expect(try Sys.names(union["t"]) == ["l", "u"])
        }
    }

    @Test(arguments: modes)
    func overAMergedEmptyDirectoryAndAWhiteout(options: [String]) throws {
        try withUnion(
            lower: ["d": ["l": "1"], "t": [:], "w": ["ghost": ""]], upper: ["d": ["u": "2"], "t": [:]],
            options: options
        ) { union throws in
            try Sys.rename(union["d"], union["t"])
            #expect(try Sys.names(union["t"]) == ["l", "u"])
            try run("rm", "-r", union["w"].text).orThrow()
            try Sys.rename(union["t"], union["w"])
            #expect(try Sys.names(union["w"]) == ["l", "u"])
            #expect(try Sys.names(union.mount) == ["w"])
            try union.restart()
            #expect(try Sys.names(union["w"]) == ["l", "u"])
        }
    }

    /// Directories of the new name in layers below the parts don't shine through, those of the old name neither.
    @Test(arguments: modes)
    func lowerLayersDontShineThrough(options: [String]) throws {
        try withUnion(
            lower: ["d": .directory(["l": "1"]).with("trusted.switchfs.complete", "y")],
            more: [["d": ["under": ""], "e": ["ghost": ""]]], upper: ["d": ["u": "2"]],
            options: options
        ) { union throws in
            #expect(try Sys.names(union["d"]) == ["l", "u"])
            try run("rm", "-r", union["e"].text).orThrow()
            try Sys.makeDirectory(union.inLower("e", 1))
            try Sys.put(union.inLower("e/ghost", 1), "")
            try Sys.makeNode(union.inUpper("e"), mode: S_IFCHR)
            try union.synchronize()
            try Sys.rename(union["d"], union["e"])
            #expect(try Sys.names(union["e"]) == ["l", "u"])
            #expect(try Sys.names(union.mount) == ["e"])
            #expect(try Sys.names(union.inLower("d", 1)) == ["under"])
            try union.restart()
            #expect(try Sys.names(union["e"]) == ["l", "u"])
            #expect(try Sys.names(union.mount) == ["e"])
        }
    }

    /// The mark that shuts lower layers out is on the lowest part: one on the upper's would hide the others.
    @Test func theLowestPartIsMarked() throws {
        try withUnion(
            lower: ["d": ["l": "1"]], more: [["e": ["ghost": ""]]], upper: ["d": ["u": "2"]]
        ) { union throws in
            try Sys.makeNode(union.inUpper("e"), mode: S_IFCHR)
            try union.synchronize()
            try Sys.rename(union["d"], union["e"])
            #expect(try Sys.names(union["e"]) == ["l", "u"])
            try union.restart()
            #expect(try Sys.names(union["e"]) == ["l", "u"])
            #expect(failure { _ = try Sys.xattr(union.inUpper("e"), "trusted.switchfs.complete") } == .noData)
        }
    }

    /// EXDEV where a layer can't take part, and nothing is changed anywhere.
    @Test(arguments: ["read-only", "new parent", "between", "exchange"])
    func refusedWithNothingChanged(why: String) throws {
        try withUnion(
            lower: ["d": ["l": "1"], "b": [:]], more: [["d": ["m": "2"], "n": [:]]],
            upper: ["d": ["u": "0"], "only": [:], "x": ["y": ""]],
            attributes: ["", why == "read-only" ? "ro" : ""]
        ) { union throws in
            if why == "between" { try Sys.put(union.inLower("n"), "a file") }
            if why == "between" { try Sys.makeNode(union.inUpper("n"), mode: S_IFCHR) }
            if why == "between" { try run("rm", "-r", union.inLower("d").text).orThrow() }
            try union.synchronize()
            let layers = [union.inUpper("")] + union.lowers
            let before = try layers.map { try Snapshot($0) }
            let (name, flags): (TestPath, UInt32) =
                switch why {
                case "new parent": ("only/d", 0)
                case "between": ("n", 0)
                case "exchange": ("x", Flag.renameExchange)
                default: ("e", 0)
                }
            #expect(failure { try Sys.rename(union["d"], union[name], flags: flags) } == .improperLink)
            for (layer, snapshot) in zip(layers, before) {
                #expect(try Snapshot(layer).differences(from: snapshot) == [])
            }
        }
    }

    /// The error of a layer in the midst of it undoes what other layers did.
    @Test func aLayersErrorUndoesTheRest() throws {
        try withScratch { scratch throws in
            let upper = try scratch.tree("upper", ["d": ["u": "2"]])
            let high = try scratch.tree("high", ["d": ["l": "1"]])
            let low = try scratch.tree("low", ["d": ["m": "3"]])
            // What something is mounted on can't be renamed.
            try Sys.mount("tmpfs", on: high / "d", type: "tmpfs", options: "mode=755")
            defer { try? Sys.unmount(high / "d", lazily: true) }
            try Sys.put(high / "d/l", "1")
            try withUnion(in: scratch, upper: upper, lowers: [high, low]) { union throws in
                #expect(failure { try Sys.rename(union["d"], union["e"]) } == .resourceBusy)
                #expect(try Sys.names(union["d"]) == ["l", "m", "u"])
                #expect(try Sys.names(union.mount) == ["d"])
                #expect(try [upper, low].map { try Sys.names($0) } == [["d"], ["d"]])
            }
        }
    }

    @Test func mvOfAManyFilesMovesNothingButTheDirectory() throws {
        var lower = Tree([])
        for index in 0..<300 { lower.entries.append((name: "d/f\(index)", node: .file("x"))) }
        try withUnion(lower: lower, upper: ["d": ["u": "2"]]) { union throws in
            let before = try union.control.status()
            try run("mv", union["d"].text, union["e"].text).orThrow()
            let requests = try union.control.status().requests(since: before)
            #expect(requests["RENAME", default: 0] + requests["RENAME2", default: 0] == 1)
            #expect(requests["CREATE", default: 0] == 0)
            #expect(try Sys.names(union["e"]).count == 301)
        }
    }

    /// Mounts in it, working directories and open handles go along.
    @Test(arguments: modes)
    func whatUsersHaveInItStays(options: [String]) throws {
        try withUnion(
            lower: ["d": ["l": "1", "s": ["t": "3"], "m": [:]], "to": [:]],
            upper: ["d": ["u": "2"], "to": [:]], options: options
        ) { union throws in
            let mounted = union["d/m"]
            try Sys.mount("tmpfs", on: mounted, type: "tmpfs", options: "mode=755")
            defer { for name in ["d/m", "to/e/m"] { try? Sys.unmount(union[TestPath(name)], lazily: true) } }
            try Sys.put(mounted / "inside", "x")
            let directory = try Sys.open(union["d"], Flag.directory)
            let file = try Sys.open(union["d/l"], O_RDWR)
            let proc = TestPath("/proc/self/fd/\(directory.descriptor)")
            try acting(as: .root) {
                try Sys.changeDirectory(union["d/s"])
                try Sys.rename(union["d"], union["to/e"])
                try union.synchronize()
                #expect(try Sys.names(".") == ["t"])
                try Sys.put("new", "n")
                #expect(try Sys.names("..") == ["l", "m", "s", "u"])
                #expect(try Sys.names(".") == ["new", "t"])
            }
            #expect(try Sys.names(proc / ".") == ["l", "m", "s", "u"])
            #expect(try Sys.text(union["to/e/m/inside"]) == "x")
            #expect(Machine.isMounted(union["to/e/m"]))
            try file.write("z")
            #expect(try Sys.text(union["to/e/l"]) == "z")
            #expect(try Sys.text(union["to/e/s/new"]) == "n")
            #expect(try Sys.names(union.mount) == ["to"])
        }
    }

    /// Between the real renames nobody sees a half. Each takes long here, as if the layers were slow.
    @Test(.enabled(if: Machine.hasProgram("strace"), "needs strace"), arguments: modes)
    func lookersNeverSeeAHalf(options: [String]) throws {
        try withScratch { scratch throws in
            let upper = try scratch.tree("upper", ["d": ["u": "2", "s": ["u": ""]]])
            let high = try scratch.tree("high", ["d": ["l": "1", "s": ["l": ""]]])
            let low = try scratch.tree("low", ["d": ["m": "3", "s": ["m": ""]]])
            try withUnion(
                in: scratch, upper: upper, lowers: [high, low], options: options,
                launcher: Tracing.launcher("renameat2", "delay_exit=20000")
            ) { union throws in
                let halves = Flagged()
                let whole: [TestPath] = ["l", "m", "s", "u"]
                let mount = union.mount
                let inside = try Sys.open(mount / "d", Flag.directory)
                let place = TestPath("/proc/self/fd/\(inside.descriptor)/.")
                let looker = { @Sendable (names: [TestPath]) throws in
                    while !halves.finished {
                        for name in names {
                            guard let handle = try? Sys.open(mount / name, Flag.directory) else { continue }
                            let proc = TestPath("/proc/self/fd/\(handle.descriptor)")
                            if try Sys.names(proc / ".") != whole { halves.add() }
                            if try Sys.names(proc / "s") != ["l", "m", "u"] { halves.add() }
                        }
                    }
                }
                try together([
                    { @Sendable in
                        defer { halves.finish() }
                        for _ in 0..<12 {
                            try Sys.rename(mount / "d", mount / "e")
                            try Sys.rename(mount / "e", mount / "d")
                        }
                    },
                    { @Sendable in try looker(["d", "e"]) },
                    { @Sendable in
                        try acting(as: .root) {
                            try Sys.changeDirectory(place)
                            while !halves.finished {
                                if try Sys.names(".") != whole { halves.add() }
                                for name in ["l", "m", "u", "s/l", "s/m", "s/u"] {
                                    if failure(of: { _ = try Sys.facts(TestPath(name)) }) != nil {
                                        halves.add()
                                    }
                                }
                            }
                        }
                    },
                ])
                #expect(halves.count == 0)
                #expect(try Sys.names(union["d"]) == whole)
            }
        }
    }

    /// Another client makes the first things in it while it is renamed: they are in it afterwards.
    @Test func skeletonsMadeMeanwhileAreNotLeftBehind() throws {
        try withUnion(lower: ["d": ["l": "1"]], more: [["d": ["m": "2"]]]) { union throws in
            for round in 0..<60 {
                let (old, new) = (union[TestPath("d")], union[TestPath("e")])
                let directory = try Sys.open(old, Flag.directory)
                let proc = TestPath("/proc/self/fd/\(directory.descriptor)")
                try together([
                    { @Sendable in try Sys.rename(old, new) },
                    { @Sendable in try Sys.put(proc / TestPath("f\(round)"), "x") },
                ])
                #expect(try Sys.names(new).count == 3)
                #expect(try Sys.names(union.mount) == ["e"])
                try Sys.unlink(new / TestPath("f\(round)"))
                try Sys.rename(new, old)
                try run("rm", "-rf", union.inUpper("d").text).orThrow()
                try union.synchronize()
            }
        }
    }

    /// A pseudo filesystem's part gives its own error, and nothing has changed.
    @Test(.enabled(if: Machine.cgroup2 != nil, "needs cgroup v2"))
    func cgroupsSayNoThemselves() throws {
        try withCgroup(in: Machine.cgroup2, "merged-rename") { group throws in
            _ = try group.make("d")
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path]) { union throws in
                    try Sys.put(union["d/note"], "x")
                    #expect(failure { try Sys.rename(union["d"], union["e"]) } == .notPermitted)
                    #expect(try Sys.text(union["d/note"]) == "x")
                    #expect(Sys.exists(union["d/cgroup.procs"]))
                    #expect(try Sys.names(upper) == ["d"])
                }
            }
        }
    }

    @Test(.enabled(if: Machine.cgroup1 != nil, "needs cgroup v1"))
    func cgroupsOfTheFirstVersionCanBeRenamed() throws {
        try withCgroup(in: Machine.cgroup1, "merged-rename1") { group throws in
            _ = try group.make("d")
            _ = try group.make("other")
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path]) { union throws in
                    try Sys.put(union["d/note"], "x")
                    try Sys.rename(union["d"], union["e"])
                    #expect(try Sys.text(union["e/note"]) == "x")
                    #expect(Sys.exists(union["e/tasks"]))
                    #expect(Sys.exists(group.path / "e/tasks"))
                    #expect(!Sys.exists(union["d"]))
                    // Elsewhere they can't go, nor over another group.
                    let error = failure { try Sys.rename(union["e"], union["other/e"]) }
                    #expect(error != nil && error != .improperLink)
                    #expect(failure { try Sys.rename(union["e"], union["other"]) } != nil)
                    #expect(try Sys.text(union["e/note"]) == "x")
                    #expect(Sys.exists(union["e/tasks"]))
                }
            }
        }
    }

    @Test func explained() throws {
        try withUnion(
            lower: ["d": ["l": ""], "r": [:]], more: [["r": [:]]], upper: ["d": ["u": ""]],
            attributes: ["", "ro"]
        ) { union throws in
            let renamed = try union.control.explain("d").split(separator: "\n").first {
                $0.hasPrefix("rename")
            }
            #expect(renamed?.contains("in each of layers 0, 1") == true, "\(renamed ?? "")")
            let refused = try union.control.explain("r").split(separator: "\n").first {
                $0.hasPrefix("rename")
            }
            #expect(refused?.contains("layer 2 is read-only") == true, "\(refused ?? "")")
        }
    }
}

/// The server under strace, which delays or kills it at a system call.
enum Tracing {
    static func launcher(_ calls: String, _ injection: String) -> [String] {
        [
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e",
            "inject=\(calls):\(injection)",
        ]
    }
}

import SwitchTestKit
import SystemPackage
import Testing

/// `switchfs orphans`, `complete` and `sync` on mounts as they are by default.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct OrphanCommandTests {
    private func orphans(_ union: Union, _ options: String...) throws -> [[String]] {
        let done = try run([Machine.binary, "orphans", union.mount.text] + options)
        try done.orThrow()
        return done.output.split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test func listRestoreAndPurge() throws {
        try withUnion(lower: ["a": [:], "b": [:], "c": [:]], options: ["orphans=hide"]) { union throws in
            for name in ["a", "b", "c"] as [TestPath] {
                try Sys.put(union[name / "note"], "old")
                try Sys.removeDirectory(union.inLower(name))
            }
            try Sys.makeDirectory(union.inLower("a"))
            try union.command("sync", union.mount.text).orThrow()
            #expect(try Sys.names(union.mount) == ["a"])
            #expect(try Sys.names(union["a"]) == [])
            try Sys.put(union["a/new"], "new")
            let found = try orphans(union)
            #expect(found.map { $0[1] }.sorted() == ["/a", "/b", "/c"])
            #expect(
                found.allSatisfy { $0.count == 4 && $0[2].contains(union.lowers[0].text) && $0[3] == "1" })
            let json = try union.command("orphans", union.mount.text, "--json").output
            for key in ["id", "path", "origin", "entries"] { #expect(json.contains("\"\(key)\"")) }
            try union.restart()
            #expect(try orphans(union).sorted { $0[1] < $1[1] } == found.sorted { $0[1] < $1[1] })
            // What was looked up and missed before must show at once.
            #expect(!Sys.exists(union["a/note"]) && !Sys.exists(union["b"]))
            for path in ["/a", "/b"] {
                let id = try #require(found.first { $0[1] == path }?[0])
                _ = try orphans(union, "--restore", id)
            }
            #expect(try Sys.text(union["a/note"]) == "old" && Sys.text(union["a/new"]) == "new")
            #expect(try Sys.names(union["b"]) == ["note"])
            #expect(try orphans(union).map { $0[1] } == ["/c"])
            _ = try orphans(union, "--purge", #require(found.first { $0[1] == "/c" }?[0]))
            #expect(try orphans(union).isEmpty)
            #expect(try Sys.names(union.mount) == ["a", "b"])
        }
    }

    @Test func keptOnesAndPurgeAll() throws {
        try withUnion(lower: ["a": [:], "b": [:]]) { union throws in
            for name in ["a", "b"] as [TestPath] {
                try Sys.put(union[name / "note"], "old")
                try Sys.removeDirectory(union.inLower(name))
            }
            try union.command("sync", union.mount.text).orThrow()
            #expect(try Sys.names(union["a"]) == ["note"])
            #expect(try orphans(union).count == 2)
            _ = try orphans(union, "--purge-all")
            #expect(try orphans(union).isEmpty)
            #expect(!Sys.exists(union["a"]) && !Sys.exists(union["a/note"]))
            #expect(try Sys.names(union.mount) == [])
        }
    }

    @Test func completeSaysWhatIsMissing() throws {
        try withUnion(lower: ["a": [:]]) { union throws in
            for path in ["none", "a/none", "none/none"] as [TestPath] {
                let run = try union.command("complete", union[path].text)
                #expect(
                    run.ending == .exited(1) && run.errors.contains("no such directory"),
                    "\(path): \(run.errors)")
            }
        }
    }

    /// An orphan goes with its last entry, also from what the kernel keeps.
    @Test func theLastEntryTakesItFromSight() throws {
        try withUnion(lower: ["a": ["b": [:]], "c": [:]]) { union throws in
            for path in ["a/b", "c"] as [TestPath] { try Sys.put(union[path / "note"], "old") }
            for path in ["a/b", "a", "c"] as [TestPath] { try Sys.removeDirectory(union.inLower(path)) }
            try union.command("sync", union.mount.text).orThrow()
            #expect(Sys.exists(union["a/b/note"]) && Sys.exists(union["c/note"]))
            try Sys.unlink(union["a/b/note"])
            try Sys.unlink(union.inUpper("c/note"))
            try union.command("sync", union.mount.text).orThrow()
            for path in ["a/b", "a", "c"] as [TestPath] { #expect(!Sys.exists(union[path])) }
            #expect(try Sys.names(union.mount) == [])
        }
    }

    @Test func refusals() throws {
        try withUnion(lower: ["a": [:], "f": "x"], attributes: ["ro"]) { union throws in
            let none = try union.command("orphans", union.mount.text, "--purge", "12345")
            #expect(none.ending == .exited(1) && none.errors.contains("there is no orphan 12345"))
            let two = try union.command("orphans", union.mount.text, "--purge", "1", "--purge-all")
            #expect(two.ending == .exited(2))
            let readOnly = try union.command("complete", union["a"].text)
            #expect(readOnly.ending == .exited(1) && readOnly.errors.contains("read-only"))
            #expect(try union.command("complete", union["f"].text).errors.contains("not a directory"))
            #expect(try union.command("complete", union.mount.text).errors.contains("root"))
            let nowhere = try union.command("sync", "/")
            #expect(nowhere.ending == .exited(1) && nowhere.errors.contains("no switchfs mount"))
        }
    }

    @Test(.enabled(if: Machine.hasBPF && Machine.cgroup2 != nil, "needs bpffs and cgroup2"))
    func bpffsOverCgroups() throws {
        try withCgroup(in: Machine.cgroup2, "orphans") { group throws in
            _ = try group.make("A")
            try withScratch { scratch throws in
                let upper = try scratch.bpf("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path], options: ["orphans=hide"]) {
                    union throws in
                    let inode = try Sys.facts(union["A"]).inode
                    try Sys.makeDirectory(union["A/mine"])
                    #expect(try Sys.facts(union["A"]).inode == inode)
                    try union.restart()
                    #expect(try Sys.facts(union["A"]).inode == inode)
                    #expect(try Sys.names(union["A"]).contains("mine"))
                    #expect(try !Sys.names(union.mount).contains("switchfs-work"))
                    try Sys.removeDirectory(group.path / "A")
                    try Sys.makeDirectory(group.path / "A")
                    #expect(!Sys.exists(union["A/mine"]))
                    try Sys.makeDirectory(union["A/yours"])
                    let found = try orphans(union)
                    #expect(found.map { $0[1] } == ["/A"])
                    _ = try orphans(union, "--restore", found[0][0])
                    let names = try Sys.names(union["A"])
                    #expect(names.contains("mine") && names.contains("yours"))
                }
            }
        }
    }
}

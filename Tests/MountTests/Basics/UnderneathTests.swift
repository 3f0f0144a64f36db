import SwitchTestKit
import SystemPackage
import Testing

/// Rule 2.7 and chapter 4: the truth is what the layers hold now.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct UnderneathTests {
    @Test func everyChangeInALowerShows() throws {
        let script = try TreeScript(
            """
            write a/new first
            append a/new and more
            chmod 600 a/new
            truncate 2 a/new
            mv a/new a/renamed
            mkdir a/s/t
            write a/s/t/deep text
            symlink deep a/s/t/sym
            link a/renamed a/hard
            rm a/s
            rm a/old
            mv a b
            rm b
            """)
        try withUnion(lower: ["a": ["old": "o"]], upper: nil, options: ["coherence=check"]) { union throws in
            try script.run(at: union.lowers[0]) { step in
                let shown = try Snapshot(union.mount)
                let real = try Snapshot(union.lowers[0])
                #expect(shown.differences(from: real) == [], "after \(step)")
            }
        }
    }

    @Test func changesInTheUpperShowToo() throws {
        try withUnion(lower: ["f": "l"], options: ["coherence=check"]) { union throws in
            #expect(try Sys.text(union["f"]) == "l")
            try Sys.put(union.inUpper("f"), "u")
            #expect(try Sys.text(union["f"]) == "u")
            try Sys.unlink(union.inUpper("f"))
            #expect(try Sys.text(union["f"]) == "l")
        }
    }

    @Test func removedDirectoryUnderAnOpenHandle() throws {
        try withUnion(lower: ["d": ["f": "x", "g": "y"]], options: ["coherence=check"]) { union throws in
            let open = try ListingReader(union["d"], bufferSize: 64)
            _ = try open.next()
            let handle = try Sys.open(union["d"], Flag.path)
            Sys.removeTree(union.inLower("d"))
            #expect(failure { _ = try open.rest() } == nil)
            try open.seek(to: 0)
            let names = try open.rest().map(\.name)
            #expect(Set(names).isSubset(of: [".", ".."]))
            let inside = TestPath("/proc/self/fd/\(handle.descriptor)") / "f"
            #expect(failure { _ = try Sys.facts(inside) } == .noSuchFileOrDirectory)
            #expect(failure { _ = try Sys.facts(union["d"]) } == .noSuchFileOrDirectory)
            #expect(failure { try Sys.put(inside, "x") } == .noSuchFileOrDirectory)
        }
    }

    @Test func keptOrphanHoldsItsUpperEntries() throws {
        try withUnion(
            lower: ["d": .directory(["l": "1"], mode: 0o751).owned(by: 7, 8)], options: ["coherence=check"]
        ) { union throws in
            try Sys.put(union["d/mine"], "m")
            let before = try Sys.facts(union["d"])
            Sys.removeTree(union.inLower("d"))
            #expect(try Sys.names(union["d"]) == ["mine"])
            let after = try Sys.facts(union["d"])
            #expect(after.permissions == 0o751 && after.uid == 7 && after.gid == 8)
            #expect(after.inode != before.inode)
            try Sys.makeDirectory(union.inLower("d"))
            try Sys.put(union.inLower("d/again"), "a")
            #expect(try Sys.names(union["d"]) == ["again", "mine"])
        }
    }

    @Test func orphanWithoutEntriesIsNotShown() throws {
        try withUnion(lower: ["d": ["l": "1"]], options: ["coherence=check"]) { union throws in
            try Sys.put(union["d/mine"], "m")
            try Sys.unlink(union["d/mine"])
            Sys.removeTree(union.inLower("d"))
            #expect(failure { _ = try Sys.facts(union["d"]) } == .noSuchFileOrDirectory)
            #expect(try Sys.names(union.mount) == [])
        }
    }

    @Test func hiddenOrphanShowsAgainOnlyUnderItsOwnOrigin() throws {
        try withUnion(lower: ["d": ["l": "1"]], options: ["coherence=check", "orphans=hide"]) {
            union throws in
            try Sys.put(union["d/mine"], "m")
            try Sys.rename(union.inLower("d"), union.inLower("away"))
            #expect(failure { _ = try Sys.facts(union["d"]) } == .noSuchFileOrDirectory)
            #expect(try Sys.names(union["away"]) == ["l"])
            try Sys.makeDirectory(union.inLower("d"))
            #expect(try Sys.names(union["d"]) == [])
            try Sys.removeDirectory(union.inLower("d"))
            try Sys.rename(union.inLower("away"), union.inLower("d"))
            #expect(try Sys.names(union["d"]) == ["l", "mine"])
        }
    }

    @Test func renamedOriginLeavesItsSkeletonBehind() throws {
        try withUnion(lower: ["d": ["l": "1"]], options: ["coherence=check"]) { union throws in
            try Sys.put(union["d/mine"], "m")
            try Sys.rename(union.inLower("d"), union.inLower("e"))
            #expect(try Sys.names(union["e"]) == ["l"])
            #expect(try Sys.names(union["d"]) == ["mine"])
        }
    }

    /// Who stands in a directory sees which layers back it by now, though it is marked far above.
    @Test func marksAboveAnOpenDirectory() throws {
        try withUnion(
            lower: ["a/b/c": ["l": "1", "both": "l"]], upper: ["a/b/c": ["u": "2", "both": "u"]],
            options: ["coherence=watch"]
        ) { union throws in
            let handle = try Sys.open(union["a/b/c"], Flag.path)
            let inside = TestPath("/proc/self/fd/\(handle.descriptor)")
            #expect(try Sys.names(union["a/b/c"]) == ["both", "l", "u"])
            // Brings events to whoever knows the directory above.
            func shake(_ name: TestPath) throws {
                try Sys.rename(union.inUpper(name), union.inUpper("a/away"))
                try Sys.rename(union.inUpper("a/away"), union.inUpper(name))
                try union.control.synchronize()
            }
            for turn in 0..<60 {
                // From the third on new nodes are asked for by path, of the same directories.
                let round = turn % 4
                try Sys.setXattr(union.inUpper("a"), "trusted.overlay.opaque", "y")
                try shake("a/b/c")
                if round > 1 { #expect(try Sys.facts(union["a/b/c"]).links == 2) }
                try shake("a/b")
                #expect(failure { _ = try Sys.facts(inside / "l") } == .noSuchFileOrDirectory)
                #expect(try Sys.names(inside) == ["both", "u"])
                #expect(try handle.facts().links == 2)
                if round > 1 { #expect(try Sys.names(union["a/b/c"]) == ["both", "u"]) }
                try Sys.removeXattr(union.inUpper("a"), "trusted.overlay.opaque")
                try shake("a/b/c")
                if round > 1 { #expect(try Sys.facts(union["a/b/c"]).links == 1) }
                try shake("a/b")
                #expect(try Sys.text(inside / "l") == "1")
                #expect(try Sys.names(inside) == ["both", "l", "u"])
                if round > 1 { #expect(try Sys.names(union["a/b/c"]) == ["both", "l", "u"]) }
            }
        }
    }

    /// Of the directories that a name was told as by turns, whoever stands in one sees what is marked on it.
    @Test func marksOnADirectoryToldAnew() throws {
        try withUnion(
            lower: ["a/b": ["l": "1"]], upper: ["a/b": ["u": "2"]], options: ["coherence=watch"]
        ) { union throws in
            let (above, own) = (union.inUpper("a"), union.inUpper("a/b"))
            var handles: [Handle] = []
            func expect(_ names: [TestPath], _ when: String) throws {
                try union.control.synchronize()
                #expect(try Sys.names(union["a/b"]) == names, "\(when)")
                for (number, handle) in handles.enumerated() {
                    let inside = TestPath("/proc/self/fd/\(handle.descriptor)")
                    #expect(Sys.exists(inside / "l") == names.contains("l"), "\(when), \(number)")
                    #expect(try Sys.names(inside) == names, "\(when), \(number)")
                    #expect(try handle.facts().links == 3 - names.count, "\(when), \(number)")
                }
                handles.append(try Sys.open(union["a/b"], Flag.path))
            }
            for round in 0..<3 {
                try expect(["l", "u"], "\(round): merged")
                try Sys.setXattr(above, "trusted.overlay.opaque", "y")
                try expect(["u"], "\(round): opaque above")
                try Sys.removeXattr(above, "trusted.overlay.opaque")
                try expect(["l", "u"], "\(round): merged again")
                try Sys.setXattr(own, "trusted.overlay.opaque", "y")
                try expect(["u"], "\(round): opaque itself")
                try Sys.removeXattr(own, "trusted.overlay.opaque")
            }
        }
    }

    /// A skeleton that a stranger moves to where the union has made none.
    @Test func skeletonMovedByAStranger() throws {
        try withUnion(
            lower: ["a/b": ["l": "1"]], upper: ["c": .opaque(["u": "2"])], options: ["coherence=watch"]
        ) { union throws in
            try Sys.put(union["a/b/new"], "x")
            try Sys.unlink(union["a/b/new"])
            // What the union itself did to the name is no reason to take no notice.
            try Sys.put(union["c/b"], "x")
            try Sys.unlink(union["c/b"])
            #expect(!Sys.exists(union["c/b"]))
            #expect(try Sys.names(union["c"]) == ["u"])
            try Sys.rename(union.inUpper("a/b"), union.inUpper("c/b"))
            try union.control.synchronize()
            #expect(!Sys.exists(union["c/b"]))
            #expect(try Sys.names(union["c"]) == ["u"])
            try Sys.put(union.inUpper("c/b/x"), "x")
            try union.control.synchronize()
            #expect(try Sys.names(union["c"]) == ["b", "u"])
            #expect(try Sys.names(union["c/b"]) == ["x"])
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Who removes a tree removes what is in a directory first, and then the directory: an orphan that comes to hold nothing by
/// that is still there for its rmdir(2), and for nothing else.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct OrphanRemovalTests {
    /// With `$D` for the orphan. It holds `f`, and `e/g` below a further orphan.
    static let removals = [
        "rm -r $D", "find $D -delete", "cd $D && rm -r ../$D", "exec 9<$D && rm -r $D",
    ]

    @Test(arguments: removals, ["auto", "check", "ttl"])
    func byAProgram(removal: String, coherence: String) throws {
        try withOrphan(coherence) { union throws in
            try run("sh", "-c", "cd \(union.mount.text) && D=d && \(removal)").orThrow()
            try expectGone(union)
        }
    }

    @Test(.enabled(if: Machine.hasProgram("python3"), "needs python3"), arguments: ["auto", "check"])
    func byPython(coherence: String) throws {
        try withOrphan(coherence) { union throws in
            let program = "import shutil; shutil.rmtree('\(union["d"].text)')"
            try run("python3", "-c", program).orThrow()
            try expectGone(union)
        }
    }

    @Test func byRmdirWithItsParents() throws {
        try withUnion(lower: ["a": ["b": ["c": [:]]]]) { union throws in
            try Sys.makeDirectory(union["a/b/c/own"])
            Sys.removeTree(union.inLower("a"))
            try union.synchronize()
            try run("sh", "-c", "cd \(union.mount.text) && rmdir -p a/b/c/own").orThrow()
            #expect(try Sys.names(union.mount) == [])
            #expect(failure { _ = try Sys.facts(union["a"]) } == .noSuchFileOrDirectory)
        }
    }

    /// Nobody else sees it: its name is free.
    @Test(arguments: ["auto", "check"])
    func itIsShownToNobody(coherence: String) throws {
        for last in 0..<3 {
            try withOrphan(coherence) { union throws in
                Sys.removeTree(union["d/e"])
                try Sys.unlink(union["d/f"])
                #expect(failure { _ = try Sys.facts(union["d"]) } == .noSuchFileOrDirectory)
                #expect(failure { _ = try Sys.open(union["d"]) } == .noSuchFileOrDirectory)
                #expect(try Sys.names(union.mount) == [])
                switch last {
                case 0:
                    try Sys.removeDirectory(union["d"])
                    #expect(failure { try Sys.removeDirectory(union["d"]) } == .noSuchFileOrDirectory)
                    #expect(try Sys.names(union.inUpper("")) == [])
                case 1:
                    try Sys.makeDirectory(union["d"])
                    #expect(try Sys.names(union.mount) == ["d"])
                default:
                    try Sys.put(union["d"], "file")
                    #expect(failure { try Sys.removeDirectory(union["d"]) } == .notDirectory)
                }
            }
        }
    }

    /// One that was never shown as such is none to remove.
    @Test func anOrphanThatWasNeverShown() throws {
        try withUnion(lower: ["d": ["l": "1"]]) { union throws in
            try Sys.put(union["d/f"], "f")
            try Sys.unlink(union["d/f"])
            Sys.removeTree(union.inLower("d"))
            try union.synchronize()
            #expect(failure { try Sys.removeDirectory(union["d"]) } == .noSuchFileOrDirectory)
        }
    }

    private func withOrphan(_ coherence: String, _ body: (Union) throws -> Void) throws {
        try withUnion(lower: ["d": ["e": [:], "l": "1"]], options: ["coherence=\(coherence)"]) {
            union throws in
            try Sys.put(union["d/f"], "f")
            try Sys.put(union["d/e/g"], "g")
            Sys.removeTree(union.inLower("d"))
            if coherence == "auto" { try union.synchronize() }
            if coherence == "ttl" {
                try eventually("it is an orphan") { try Sys.names(union["d"]) == ["e", "f"] }
            }
            #expect(try Sys.names(union["d"]) == ["e", "f"])
            try body(union)
        }
    }

    private func expectGone(_ union: Union) throws {
        #expect(failure { _ = try Sys.facts(union["d"]) } == .noSuchFileOrDirectory)
        #expect(try Sys.names(union.mount) == [])
        #expect(try Sys.names(union.inUpper("")) == [])
    }
}

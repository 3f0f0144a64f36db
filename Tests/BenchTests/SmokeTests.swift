import SwitchTestKit
import Testing

/// The program as a user runs it, over little.
struct SmokeTests {
    private static let program: TestPath = TestPath(Machine.binary).parent / "switchfs-bench"

    @Test(.enabled(if: Machine.canMount, "mounting takes root and /dev/fuse"))
    func measuresAndLeavesNothing() throws {
        try withScratch { scratch in
            let place = try scratch.directory("place")
            let json = scratch.root / "values.json"
            let plot = scratch.root / "plot.svg"
            let finished = try run(
                Self.program.text, "--switchfs", Machine.binary, "--size", "tiny", "--rounds", "1",
                "--systems", "switchfs", "--workloads", "stat-warm,create,mount", "--directory", place.text,
                "--json", json.text, "--plot", plot.text
            ).orThrow()
            #expect(finished.output.contains("| stat-warm "))
            #expect(finished.output.contains("| mount: time "))
            #expect(!finished.output.contains("failed"))
            #expect(try Sys.text(json).contains("\"stat-warm\""))
            #expect(try Sys.text(plot).contains(">create</text>"))
            try eventually("nothing is left below \(place)") { try Sys.list(place).isEmpty }
            #expect(!Machine.mounts.contains { $0.path.bytes.starts(with: place.bytes) })
        }
    }

    /// The program looks at the results itself.
    @Test(.enabled(if: Machine.canMount, "mounting takes root and /dev/fuse"))
    func theFloorDoesAllThatItIsMeasuredIn() throws {
        try withScratch { scratch in
            let place = try scratch.directory("place")
            let finished = try run(
                Self.program.text, "--size", "tiny", "--rounds", "1", "--systems", "floor",
                "--workloads",
                "read-cold,first-write,stat-missing,stat-cold-20,stat-cold-parallel,small-cold,list-merged-cold,"
                    + "ls-lR*,grep-warm,untar,rm-r,create,mkdir,rename,git-status-third,git-clone",
                "--directory", place.text
            ).orThrow()
            #expect(!finished.output.contains("failed"), "\(finished.output)")
            #expect(finished.output.contains("| ls-lR-after-find "))
            #expect(try #require(finished.output.firstMatch(of: /\| read-cold .*/)).0.hasSuffix(" –     |"))
        }
    }

    @Test(.enabled(if: Machine.canMount, "mounting takes root and /dev/fuse"))
    func countsRequestsPassByPass() throws {
        try withScratch { scratch in
            let place = try scratch.directory("place")
            let finished = try run(
                Self.program.text, "--switchfs", Machine.binary, "--size", "tiny", "--requests",
                "--workloads", "stat-cold,untar", "--directory", place.text
            ).orThrow()
            #expect(finished.output.contains(/\| stat-cold +\| 1 +\| \d+ LOOKUP/))
            #expect(finished.output.contains(/\| stat-cold +\| 3 +\| none/))
            #expect(finished.output.contains(/\| untar +\| 1 +\| .*100 CREATE/))
        }
    }

    @Test(.enabled(if: Machine.canMount, "mounting takes root and /dev/fuse"))
    func cleansUpWhenItIsKilled() throws {
        try withScratch { scratch in
            let place = try scratch.directory("place")
            let child = try Child([
                Self.program.text, "--switchfs", Machine.binary, "--size", "tiny", "--systems", "switchfs",
                "--workloads", "idle", "--directory", place.text,
            ])
            try eventually("it mounts") {
                Machine.mounts.contains {
                    $0.type == "fuse.switchfs" && $0.path.bytes.starts(with: place.bytes)
                }
            }
            child.send(15)
            try child.wait()
            try eventually("nothing is left below \(place)") { try Sys.list(place).isEmpty }
            #expect(!Machine.mounts.contains { $0.path.bytes.starts(with: place.bytes) })
        }
    }

    @Test func listsWhatItKnows() throws {
        let finished = try run(Self.program.text, "--list").orThrow()
        #expect(finished.output.contains("native, floor, overlay, fuse-overlayfs, mergerfs"))
        #expect(finished.output.contains("\nfirst-write "))
    }
}

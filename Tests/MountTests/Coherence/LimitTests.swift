import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// More changes than the kernel's queue takes, more directories than there are watches.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct WatchLimitTests {
    @Test func overflowDropsEverythingOnce() throws {
        let limit = Int(try Sys.text("/proc/sys/fs/inotify/max_queued_events").filter(\.isNumber)) ?? 16_384
        try #require(limit <= 1 << 20)
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            for path in [upper / "d", lower / "d/e"] { try Sys.makeDirectories(path) }
            for index in 0..<200 { try Sys.put(lower / "d/f\(index)", "x") }
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                let check = StressCheck(mount: union.mount, layers: [upper, lower], hasUpper: true)
                #expect(try check.findings(union.control).isEmpty)
                for index in 0..<200 { #expect(!Sys.exists(union["d/new\(index)"])) }
                try Self.whileStopped(union.process ?? 0) {
                    // Two names by turns: neighbours that are equal make one event.
                    for index in 0..<(limit / 2 + 100) {
                        try Sys.put(lower / "d/t\(index % 2)", "")
                        try Sys.unlink(lower / "d/t\(index % 2)")
                    }
                    // What none of the events that found room tells.
                    for index in 0..<200 {
                        try Sys.put(lower / "d/new\(index)", "new")
                        try Sys.changeMode(lower / "d/f\(index)", 0o600)
                    }
                    try Sys.rename(lower / "d/e", lower / "d/moved")
                    try Sys.unlink(lower / "d/f7")
                }
                try union.synchronize()
                #expect(try check.findings(union.control).map(\.description) == [])
                #expect(try union.control.status()["overflows"] == 1)
            }
        }
    }

    static func whileStopped(_ process: Int32, _ body: () throws -> Void) throws {
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        try eventually("the server stands still") {
            try Sys.text("/proc/\(process)/stat").contains(") T ")
        }
        try body()
    }

    /// In a user namespace, which has a limit of its own. The mount is in there too.
    @Test(.enabled(if: Machine.hasProgram("unshare"), "needs unshare"))
    func withoutWatchesEveryLookAsks() throws {
        let status = try Self.limited.status(within: 90)
        print("60 watches: \(status["degraded_directories"]) degraded directories")
        #expect(status["degraded_directories"] > 0)
    }

    /// Three looks at 100 directories, with changes in between.
    private static let limited = LimitedWatches(
        limit: 60,
        filling: """
            for d in $(seq 100); do mkdir lower/$d; echo x >lower/$d/a; ln lower/$d/a lower/$d/b; done
            """,
        script: """
            same
            for d in $(seq 1 3 100); do echo more >>lower/$d/b; echo new >lower/$d/c; rm lower/$d/a; done
            "$binary" sync mnt; same
            for d in $(seq 1 2 100); do mv lower/$d lower/moved$d; mkdir lower/$d; chmod 700 lower/moved$d; done
            "$binary" sync mnt; same
            """)
}

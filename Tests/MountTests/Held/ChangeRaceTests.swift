import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// Callers make and rename things in a directory while a stranger exchanges it underneath as fast as it can. What they
/// make may land in either of the two, as on a local filesystem; ESTALE reaches nobody. `SWITCHFS_RACE_SECONDS` says for
/// how long.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ChangeRaceTests {
    @Test(arguments: ReplaceRaceTests.modes)
    func changesInADirectoryThatIsExchanged(mode: String) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            for name in ["upper/d/x", "upper/d/y", "lower"] as [TestPath] {
                try Sys.makeDirectories(ground / name)
            }
            let options = ["coherence=\(mode)"]
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: [ground / "lower"], options: options
            ) { union throws in
                let stale = try race(in: union.mount / "d/x", exchanging: union.inUpper("d"))
                #expect(stale == [:])
            }
        }
    }

    /// What gave ESTALE, how often.
    private func race(in directory: TestPath, exchanging parent: TestPath) throws -> [String: Int] {
        let (turnstile, found) = (Turnstile(), Found())
        try together(
            (0..<3).map { number in
                { @Sendable in
                    var turn = 0
                    turnstile.run {
                        turn += 1
                        change(directory, "\(number).\(turn)", found)
                    }
                }
            } + [
                { @Sendable in
                    defer { turnstile.end() }
                    let deadline = Deadline(ReplaceRace.duration)
                    while !deadline.passed {
                        try Sys.rename(parent / "x", parent / "y", flags: Flag.renameExchange)
                    }
                }
            ])
        return found.counts
    }

    private func change(_ directory: TestPath, _ name: String, _ found: Found) {
        let (made, moved) = (directory / TestPath(name), directory / TestPath(name + "m"))
        found.note("mkdir") { try Sys.makeDirectory(made) }
        found.note("create") { try Sys.put(directory / TestPath(name + "f"), "1") }
        found.note("rename") { try Sys.rename(made, moved) }
        found.note("rmdir") { try Sys.removeDirectory(moved) }
        found.note("unlink") { try Sys.unlink(directory / TestPath(name + "f")) }
    }

    private final class Found: Sendable {
        private let noted = Mutex<[String: Int]>([:])

        var counts: [String: Int] { noted.withLock { $0 } }

        func note(_ what: String, _ body: () throws -> Void) {
            guard failure(of: body) == .staleNFSFileHandle else { return }
            noted.withLock { $0[what, default: 0] += 1 }
        }
    }
}

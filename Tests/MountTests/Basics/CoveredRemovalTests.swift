import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What a lower layer has is removed, and a whiteout takes from sight what it has hidden so far: whatever happens in the
/// midst of that, hidden things never show.
@Suite(
    .serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"),
    .enabled(if: Machine.hasProgram("strace"), "needs strace"))
struct CoveredRemovalTests {
    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var upper: Tree = [:]
        var lower: Tree
        var low: Tree
        var isDirectory = false

        func remove(_ path: TestPath) throws(Errno) {
            if isDirectory { try Sys.removeDirectory(path) } else { try Sys.unlink(path) }
        }
    }

    private static let complete = "trusted.overlay.opaque"

    static let cases = [
        Case(
            description: "a file over a directory", lower: ["a": "file", "k": ""],
            low: ["a": ["b": ["c": "hidden"]]]),
        Case(
            description: "a complete directory over another one",
            lower: ["a": .directory().with(complete, "y"), "k": ""], low: ["a": ["b": "hidden"]],
            isDirectory: true),
        Case(
            description: "a merged directory over another one", upper: ["a": [:]],
            lower: ["a": .directory().with(complete, "y"), "k": ""], low: ["a": ["b": "hidden"]],
            isDirectory: true),
    ]

    /// Nothing is kept: see `RenameCrashTests`.
    private static let options = ["coherence=check"]

    private func layers(
        _ testCase: Case, _ scratch: Scratch
    ) throws -> (upper: TestPath, lowers: [TestPath]) {
        let upper = try scratch.tree("upper", testCase.upper)
        return (upper, [try scratch.tree("high", testCase.lower), try scratch.tree("low", testCase.low)])
    }

    /// Runs an attempt with fresh layers for the first such call, the second and so on, until it isn't reached.
    private func atEach(
        _ call: String, _ effect: String,
        _ attempt: (_ scratch: Scratch, _ launcher: [String], _ point: String) throws -> Bool
    ) throws {
        for count in 1..<6 {
            let launcher = Tracing.launcher(call, "\(effect):when=\(count)")
            let isReached = try withScratch { try attempt($0, launcher, "\(call) \(count)") }
            if !isReached { break }
        }
    }

    /// Everything that may fail does, one after the other: then nothing has changed, or all.
    @Test(arguments: cases, ["mknodat", "renameat2", "unlinkat"])
    func failing(_ testCase: Case, call: String) throws {
        try atEach(call, "error=ENOSPC") { scratch, launcher, point in
            let (upper, lowers) = try layers(testCase, scratch)
            return try withUnion(
                in: scratch, upper: upper, lowers: lowers, options: Self.options, launcher: launcher
            ) { union throws in
                let before = try Snapshot(union.mount)
                let error = failure { try testCase.remove(union["a"]) }
                let after = try Snapshot(union.mount)
                let expected = error == nil ? without("a", before) : before
                #expect(after.differences(from: expected) == [], "\(point)")
                return error != nil
            }
        }
    }

    @Test(arguments: cases, ["mknodat", "renameat2", "unlinkat"])
    func killed(_ testCase: Case, call: String) throws {
        try atEach(call, "signal=KILL") { scratch, launcher, point in
            let (upper, lowers) = try layers(testCase, scratch)
            let union = try Union(
                in: scratch, upper: upper, lowers: lowers, options: Self.options, launcher: launcher)
            let before = try Snapshot(union.mount)
            let error = failure { try testCase.remove(union["a"]) }
            guard error != nil else {
                try union.stop()
                return false
            }
            union.crash()
            try withUnion(in: scratch, name: "after", upper: upper, lowers: lowers) { union throws in
                let after = try Snapshot(union.mount)
                let isOld = after.differences(from: before) == []
                let isNew = after.differences(from: without("a", before)) == []
                #expect(isOld || isNew, "\(point): \(after.differences(from: before))")
                let left = ((try? Sys.names(upper + ".work/switchfs")) ?? []).filter { $0 != "orphans" }
                #expect(left == [], "\(point)")
            }
            return true
        }
    }

    /// Who may not remove it can't make it vanish for others, not for a moment.
    @Test(arguments: cases) func refused(_ testCase: Case) throws {
        try withScratch { scratch throws in
            let (upper, lowers) = try layers(testCase, scratch)
            try withUnion(in: scratch, upper: upper, lowers: lowers, options: Self.options) { union throws in
                let before = try Snapshot(union.mount)
                let command = testCase.isDirectory ? "rmdir" : "rm -f"
                let (path, isOver) = (union["a"], Flagged())
                try together([
                    {
                        defer { isOver.finish() }
                        let ended = try run(
                            "setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "sh", "-c",
                            "for n in $(seq 100); do \(command) \(path.text); done")
                        #expect(ended.errors.contains("Permission denied"))
                    },
                    { while !isOver.finished { #expect(Sys.exists(path)) } },
                ])
                #expect(try Snapshot(union.mount).differences(from: before) == [])
            }
        }
    }

    private func without(_ name: TestPath, _ snapshot: Snapshot) -> Snapshot {
        Snapshot(items: snapshot.items.filter { $0.key != name && !$0.key.text.hasPrefix(name.text + "/") })
    }
}

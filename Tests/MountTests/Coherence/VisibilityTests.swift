import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Changes underneath show by themselves, through names that the kernel has kept.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct VisibilityTests {
    enum Change: String, CaseIterable, Sendable {
        case create, unlink, renameOver, write, truncate, changeMode, makeDirectory, removeDirectory, listing
    }

    /// Files of one directory, seen through the union and changed in a layer.
    struct Scene {
        let union: TestPath
        let layer: TestPath

        func prepare(_ change: Change, _ name: TestPath) throws {
            switch change {
            case .create, .makeDirectory, .listing: break
            case .removeDirectory: try Sys.makeDirectory(layer / name)
            case .renameOver:
                try Sys.put(layer / name, "old")
                try Sys.put(layer / (name + ".new"), "new!")
            default: try Sys.put(layer / name, "old")
            }
        }

        /// In one step: there is a before and an after, and nothing between them.
        func make(_ change: Change, _ name: TestPath) throws {
            let path = layer / name
            switch change {
            case .create, .listing: try Sys.touch(path)
            case .unlink: try Sys.unlink(path)
            case .renameOver: try Sys.rename(path + ".new", path)
            case .write: try Sys.open(path, O_WRONLY | O_APPEND).write("more")
            case .truncate: try Sys.truncate(path, to: 1)
            case .changeMode: try Sys.changeMode(path, 0o600)
            case .makeDirectory: try Sys.makeDirectory(path)
            case .removeDirectory: try Sys.removeDirectory(path)
            }
        }

        /// What the union shows of it.
        func look(_ change: Change, _ name: TestPath) throws -> String {
            try Self.look(change, name, in: union)
        }

        /// What it is. Upper and lower are on one file system: inode numbers are the real ones.
        func truth(_ change: Change, _ name: TestPath) throws -> String {
            try Self.look(change, name, in: layer)
        }

        private static func look(_ change: Change, _ name: TestPath, in directory: TestPath) throws -> String
        {
            if change == .listing { return "\(try Sys.names(directory).contains(name))" }
            do throws(Errno) {
                let facts = try Sys.facts(directory / name)
                return "\(facts.kind) \(facts.inode) \(facts.size) \(facts.mode)"
            } catch {
                guard error == .noSuchFileOrDirectory else { throw error }
                return "nothing"
            }
        }
    }

    static let rounds = 200

    /// The change shows by itself, as just what it is: what was there before, then what is there now, and never a third
    /// thing. How long it takes is printed, and is nobody's promise on a busy machine.
    @Test(arguments: Change.allCases)
    func showsByItself(change: Change) throws {
        var times: [Double] = []
        try withKeptNames(change, rounds: Self.rounds) { scene, name, before throws in
            try scene.make(change, name)
            let after = try scene.truth(change, name)
            let (shown, time) = try Self.firstOther(than: before) { try scene.look(change, name) }
            times.append(time)
            #expect(shown == after)
            #expect(try scene.look(change, name) == after)
        }
        times.sort()
        let (median, worst) = (times[times.count / 2], times[times.count * 99 / 100])
        print("\(change): median \(Int(median * 1e6)) µs, p99 \(Int(worst * 1e6)) µs")
    }

    /// What was changed before the barrier shows in the first look after it.
    @Test(arguments: Change.allCases)
    func showsAfterTheBarrier(change: Change) throws {
        try withKeptNames(change, rounds: Self.rounds / 4) { scene, name, _ throws in
            try scene.make(change, name)
            try Control(scene.union.parent).synchronize()
            #expect(try scene.look(change, name) == scene.truth(change, name))
        }
    }

    /// By turns in the upper and in the lower: `body` for a name that the kernel keeps as it is `before`.
    private func withKeptNames(
        _ change: Change, rounds: Int, _ body: (Scene, TestPath, _ before: String) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            for path in [upper / "d", lower / "d"] { try Sys.makeDirectories(path) }
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                for round in 0..<rounds {
                    let scene = Scene(union: union["d"], layer: (round % 2 == 0 ? upper : lower) / "d")
                    let name = TestPath("f\(round)")
                    try scene.prepare(change, name)
                    try union.synchronize()
                    let before = try scene.look(change, name)
                    #expect(try before == scene.truth(change, name))
                    // Kept from here on.
                    #expect(try scene.look(change, name) == before)
                    try body(scene, name, before)
                }
            }
        }
    }

    /// What shows then, and after how many seconds. Without a breath between two looks: what is measured is shorter. The
    /// deadline is for what never shows.
    private static func firstOther(
        than before: String, _ look: () throws -> String
    ) throws -> (shown: String, time: Double) {
        let deadline = Deadline(60)
        var shown = before
        let time = try seconds {
            while shown == before {
                if deadline.passed { throw FixtureError("still \(before)") }
                shown = try look()
            }
        }
        return (shown, time)
    }
}

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

        func make(_ change: Change, _ name: TestPath) throws {
            let path = layer / name
            switch change {
            case .create, .listing: try Sys.put(path, "x")
            case .unlink: try Sys.unlink(path)
            case .renameOver: try Sys.rename(path + ".new", path)
            case .write: try Sys.open(path, O_WRONLY | O_APPEND).write("more")
            case .truncate: try Sys.truncate(path, to: 1)
            case .changeMode: try Sys.changeMode(path, 0o600)
            case .makeDirectory: try Sys.makeDirectory(path)
            case .removeDirectory: try Sys.removeDirectory(path)
            }
        }

        /// What the union shows of it, to be compared.
        func look(_ change: Change, _ name: TestPath) throws -> String {
            if change == .listing { return "\(try Sys.names(union).contains(name))" }
            guard let facts = try? Sys.facts(union / name) else { return "nothing" }
            return "\(facts.kind) \(facts.inode) \(facts.size) \(facts.mode)"
        }
    }

    static let times = 200

    /// Without a breath between two looks: what is measured is shorter.
    static func untilDifferent(from before: String, _ look: () throws -> String) throws {
        let deadline = Deadline(5)
        while try look() == before {
            if deadline.passed { throw FixtureError("still \(before)") }
        }
    }

    @Test(arguments: Change.allCases)
    func shows(change: Change) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            for path in [upper / "d", lower / "d"] { try Sys.makeDirectories(path) }
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                var times: [Double] = []
                for round in 0..<Self.times {
                    let scene = Scene(union: union["d"], layer: (round % 2 == 0 ? upper : lower) / "d")
                    let name = TestPath("f\(round)")
                    try scene.prepare(change, name)
                    try union.synchronize()
                    let before = try scene.look(change, name)
                    // Kept from here on.
                    #expect(try scene.look(change, name) == before)
                    try scene.make(change, name)
                    times.append(
                        try seconds {
                            try Self.untilDifferent(from: before) { try scene.look(change, name) }
                        })
                }
                times.sort()
                let (median, worst) = (times[times.count / 2], times[times.count * 99 / 100])
                print("\(change): median \(Int(median * 1e6)) µs, p99 \(Int(worst * 1e6)) µs")
                #expect(median < 0.1)
            }
        }
    }
}

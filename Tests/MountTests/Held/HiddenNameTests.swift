import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What resolution hides can't be seen, opened or removed, in any interleaving of the union's own operations: rule
/// 2.9 of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct HiddenNameTests {
    enum Hiding: CaseIterable, Sendable {
        /// A whiteout stands in the lower directory's place.
        case whiteout
        /// The lower directory shows, without what is in it: renaming over it makes the new one complete.
        case emptied
    }

    static let modes = ["watch", "ttl", "check"]
    /// Of each mode and way.
    static let runs = 1700
    static let companies: [RenameRace.Run.Company] = [.none, .workingDirectory, .none, .descriptor]

    /// In the upper, so many directories to rename and so many places to rename them to, below which the lower has
    /// something. By a hundred in a directory.
    private func makeRuns(_ upper: TestPath, _ lower: TestPath, _ hiding: Hiding) throws -> [RenameRace.Run] {
        try (0..<Self.runs).map { index in
            let group: TestPath = "g\(index / 100)"
            let run = RenameRace.Run(
                old: group / "d\(index)", new: group / "w\(index)", inside: index % 2 == 0 ? "" : "c",
                reach: Reach[index / 8], company: Self.companies[index / 2 % 4],
                companionsReach: Reach[index / 40])
            try Sys.makeDirectories(upper / run.old / run.inside)
            try Sys.makeDirectories(lower / run.new / run.inside)
            try Sys.put(lower / run.new / run.inside / RenameRace.ghost, "of the lower")
            switch hiding {
            case .whiteout: try Sys.makeNode(upper / run.new, mode: S_IFCHR | 0o644)
            case .emptied:
                try Sys.makeDirectory(upper / run.new)
                let hidden = run.inside == "" ? RenameRace.ghost : run.inside
                try Sys.makeNode(upper / run.new / hidden, mode: S_IFCHR | 0o644)
            }
            return run
        }
    }

    @Test(arguments: modes, Hiding.allCases)
    func renamedOverWhatIsHidden(mode: String, hiding: Hiding) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            for layer in [upper, lower] { try Sys.makeDirectory(layer) }
            let runs = try makeRuns(upper, lower, hiding)
            let before = try Snapshot(lower)
            try withUnion(in: scratch, upper: upper, lowers: [lower], options: ["coherence=\(mode)"]) {
                union in
                let race = RenameRace(in: union.mount, runs)
                let took = try seconds { try race.start() }
                print(
                    "\(mode), \(hiding): \(runs.count) runs, \(race.companionsTries) tries beside, \(took) s")
                #expect(race.complaints == [:])
                for run in runs {
                    #expect(try Sys.names(union[run.new / run.inside]) == [], "\(run.new)")
                }
            }
            #expect(try Snapshot(lower).differences(from: before) == [])
        }
    }
}

import SwitchTestKit
import SystemPackage
import Testing

/// Random calls on a union of random layers and on a plain directory that holds what the union shows: after each call,
/// and after a remount, the two are the same.
///
/// `SWITCHFS_TREE_SEEDS=200 SWITCHFS_TREE_CALLS=400` is the long run, `SWITCHFS_TEST_SEED` its first seed.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct DifferentialTests {
    private static func number(_ name: String, default number: Int) -> Int {
        Machine.environment(name).flatMap { Int($0) } ?? number
    }

    @Test(.timeLimit(.minutes(120))) func equalsAPlainDirectory() throws {
        let seeds = Self.number("SWITCHFS_TREE_SEEDS", default: 4)
        let calls = Self.number("SWITCHFS_TREE_CALLS", default: 100)
        let first = SeededRandom.seed
        print("seed \(first) (SWITCHFS_TEST_SEED repeats it), \(seeds) seeds of \(calls) calls")
        var (refused, worked) = (0, 0)
        for seed in 0..<UInt64(max(seeds, 0)) {
            try withScratch { scratch throws in
                var run = try DifferentialRun(seed: first &+ seed, in: scratch)
                let found = try run.play(calls: calls, in: scratch)
                refused += run.refusals
                worked += run.effects
                #expect(found == nil, "seed \(first &+ seed): \(found ?? "")")
            }
        }
        print("of \(seeds * calls) calls \(worked) worked, \(refused) were refused by EXDEV or EROFS")
    }
}

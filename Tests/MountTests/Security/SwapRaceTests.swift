import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// Symbolic links and directories take each other's places in the layers while clients work in the union: nothing
/// outside of the layers is ever touched or shown.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct SwapRaceTests {
    /// Calls of clients in one run; a million by hand.
    private static let tries = Machine.environment("SWITCHFS_SWAP_TRIES").flatMap { Int($0) } ?? 4000

    @Test(.timeLimit(.minutes(60)), arguments: ["check", "watch"])
    func nothingOutsideIsTouchedOrShown(coherence: String) throws {
        try withScratch { scratch in
            let scene = try SwapScene(in: scratch)
            let before = try Snapshot(scene.outside, inodes: true)
            let times = try changeTimes(of: scene.outside)
            let hidden = try scene.hidden
            try withUnion(
                in: scratch, upper: scene.upper, lowers: [scene.lower], options: ["coherence=\(coherence)"]
            ) { union in
                let faults = try race(scene, union.mount, hidden)
                #expect(faults == [])
                try Sys.put(union["after"], "still there")
                #expect(try Sys.text(union["after"]) == "still there")
            }
            #expect(try Snapshot(scene.outside, inodes: true) == before)
            #expect(try changeTimes(of: scene.outside) == times)
        }
    }

    /// When anything of an object was changed last: it tells of every touch but reading.
    private func changeTimes(of tree: TestPath) throws -> [TestPath: Int64] {
        var times = [tree: try Sys.facts(tree).changed]
        for name in try Snapshot(tree).items.keys { times[name] = try Sys.facts(tree / name).changed }
        return times
    }

    /// What clients saw that must not be seen.
    private func race(_ scene: SwapScene, _ mount: TestPath, _ hidden: Set<UInt64>) throws -> [String] {
        let left = Atomic<Int>(Self.tries)
        let counts = Mutex((swaps: 0, done: 0))
        let faults = Mutex<[String]>([])
        let seed = SeededRandom.seed
        let swap: @Sendable (UInt64) -> Void = { number in
            var swapper = Swapper(scene, seed: seed &+ number)
            while left.load(ordering: .relaxed) > 0 { swapper.step() }
            counts.withLock { $0.swaps += swapper.swaps }
        }
        let use: @Sendable (UInt64) -> Void = { number in
            var client = SwapClient(mount, hidden: hidden, seed: seed &+ number)
            while left.subtract(1, ordering: .relaxed).newValue >= 0, client.faults.isEmpty { client.step() }
            // The others end, too: a fault is what was looked for.
            if !client.faults.isEmpty { left.store(0, ordering: .relaxed) }
            counts.withLock { $0.done += client.done }
            faults.withLock { $0 += client.faults }
        }
        try together([{ swap(1) }, { use(2) }, { use(3) }, { use(4) }])
        let (swaps, done) = counts.withLock { $0 }
        print("\(Self.tries) tries, \(done) of them done, \(swaps) swaps meanwhile; seed \(seed)")
        // Else nothing was tried.
        #expect(swaps > Self.tries / 100)
        #expect(done > Self.tries / 100)
        return faults.withLock { $0 }
    }
}

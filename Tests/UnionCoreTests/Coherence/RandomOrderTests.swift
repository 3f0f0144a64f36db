import Glibc
import LinuxSystem
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

@testable import UnionCore

/// Strangers change all layers at full speed while a client looks, changes names and keeps directories open. Then the kernel
/// shows what the layers hold. As the stress test, without a mount and some dozen times as fast, by hand:
/// `SWITCHFS_ORDER_RUNS=100`. (A seed brings back what is done, not in which order the threads come.)
@Suite struct RandomOrderTests {
    private static let runs = UInt64(Machine.environment("SWITCHFS_ORDER_RUNS") ?? "") ?? 0

    @Test(.enabled(if: runs > 0, "SWITCHFS_ORDER_RUNS says how often")) func showsWhatTheLayersHold() throws {
        let first = SeededRandom.seed
        for seed in first..<first + Self.runs {
            let scene = try CoherenceScene(lowers: 2, "mkdir out0 out1 out2")
            try OrderRun(scene, seed).run(rounds: 20)
        }
    }
}

extension SeededRandom {
    fileprivate mutating func path(_ depth: Int = 3) -> TestPath {
        let levels = min(depth, [1, 1, 2, 2, 2, 3][below(6)])
        return TestPath((0..<levels).map { _ in "n\(below(4))" }.joined(separator: "/"))
    }
}

private struct Stranger {
    let root: TestPath
    let outside: TestPath
    let isUpper: Bool
    var random: SeededRandom

    mutating func step() throws {
        let (a, b) = (root / random.path(), root / random.path())
        switch random.below(26) {
        case 0...2: try Sys.open(a, O_WRONLY | O_APPEND | O_CREAT).write("x")
        case 3, 4: try Sys.unlink(a)
        case 5...8: try move(a, b)
        case 9, 10: try move(a, b, flags: Flag.renameExchange)
        case 11...13: try Sys.makeDirectory(root / random.path(2))
        case 14: try Sys.removeDirectory(a)
        case 15: try Sys.link(a, b)
        case 16: try move(a, outside / "\(random.below(3))")
        case 17, 18: try move(outside / "\(random.below(3))", a)
        case 19:
            let a = root / random.path(2)
            try Sys.makeDirectories(a / "n0")
            try Sys.put(a / "n1", "sub")
        case 20: try Sys.changeMode(a, random.below(2) == 0 ? 0o700 : 0o755)
        case 21, 22:
            guard isUpper, try Sys.facts(a).kind == .directory, try !isTheUnions(a) else { return }
            if random.below(2) == 0 {
                try Sys.setXattr(a, "user.overlay.opaque", "y")
            } else {
                try Sys.removeXattr(a, "user.overlay.opaque")
            }
        case 23: if isUpper { try Sys.makeNode(a, mode: S_IFCHR | 0o644) }
        default: try moveIntoItsSuccessor(root / random.path(2))
        }
    }

    private mutating func moveIntoItsSuccessor(_ directory: TestPath) throws {
        let aside = outside / "aside"
        guard try Sys.facts(directory).kind == .directory else { return }
        try move(directory, aside)
        defer { try? move(aside, root / "n3") }
        try Sys.makeDirectory(directory)
        if random.below(2) == 0 { linger(random.below(300)) }
        try move(aside, directory / "n\(random.below(4))")
    }

    /// What the union itself keeps in the upper only it may move.
    private func move(_ a: TestPath, _ b: TestPath, flags: UInt32 = 0) throws {
        if isUpper, (try? isTheUnions(a)) == true || (try? isTheUnions(b)) == true { return }
        try Sys.rename(a, b, flags: flags)
    }

    private func isTheUnions(_ path: TestPath) throws -> Bool {
        try Sys.xattrs(path).contains { $0.contains(".switchfs.") }
    }
}

private final class OrderRun: @unchecked Sendable {
    let scene: CoherenceScene
    let seed: UInt64
    private let isStopped = Atomic<Bool>(false)
    private let steps = Atomic<Int>(0)

    init(_ scene: CoherenceScene, _ seed: UInt64) {
        self.scene = scene
        self.seed = seed
    }

    func run(rounds: Int) throws {
        var held: [NodeID] = []
        var random = SeededRandom(seed: seed)
        for round in 0..<rounds {
            isStopped.store(false, ordering: .sequentiallyConsistent)
            steps.store(0, ordering: .sequentiallyConsistent)
            var threads: [WorkerThread] = []
            for (index, layer) in ["upper", "lower1", "lower2"].enumerated() {
                let stranger = Stranger(
                    root: TestPath(scene.path(layer)), outside: TestPath(scene.path("out\(index)")),
                    isUpper: index == 0,
                    random: SeededRandom(seed: random.next()))
                threads.append(
                    try WorkerThread.spawn(name: "stranger") { [self] in
                        var stranger = stranger
                        while !isStopped.load(ordering: .relaxed) {
                            try? stranger.step()
                            steps.add(1, ordering: .relaxed)
                            if stranger.random.below(8) == 0 { linger(stranger.random.below(400)) }
                        }
                    })
            }
            threads.append(
                try WorkerThread.spawn(name: "reader") { [self] in
                    while !isStopped.load(ordering: .relaxed) {
                        scene.changes.drain()
                        linger(Int.random(in: 0...300))
                    }
                })
            while steps.load(ordering: .relaxed) < 200 { client(&random, &held) }
            isStopped.store(true, ordering: .sequentiallyConsistent)
            for thread in threads { thread.join() }
            scene.settle()
            let unsettled = scene.fixture.union.coherence.unsettled.withLock { $0.map(\.rawValue) }
            let wrong = try compare(held)
            for text in wrong { Issue.record("seed \(seed) round \(round): \(text)") }
            guard wrong.isEmpty else {
                scene.settle()
                let left = try compare(held).count
                Issue.record("left by sync: \(unsettled); after another one \(left) of \(wrong.count) are")
                return
            }
        }
        for node in held { scene.kernel.release(node) }
    }

    private func client(_ random: inout SeededRandom, _ held: inout [NodeID]) {
        let kernel = scene.kernel
        let (a, b) = ("\(random.path())", "\(random.path())")
        switch random.below(24) {
        case 0...9: _ = try? kernel.stat(a)
        case 10, 11: _ = try? kernel.list(a)
        case 12:
            if held.count > 4 { kernel.release(held.remove(at: random.below(held.count))) }
            if let node = try? kernel.walk(a),
                kernel.state.withLock({ $0.tree.inodes[node]?.isDirectory }) == true,
                let again = try? kernel.hold(a)
            {
                held.append(again)
            }
        case 13...15:
            guard let node = held.randomElement(using: &random) else { return }
            _ = kernel.exists("n\(random.below(4))", from: node)
        case 16: _ = try? kernel.rename(a, b)
        case 17: _ = try? kernel.rename(a, b, flags: .exchange)
        case 18: _ = try? kernel.mkdir(a)
        case 19: _ = try? kernel.create(a)
        case 20: _ = try? kernel.unlink(a)
        case 21: _ = try? kernel.rmdir(a)
        default: for name in (try? kernel.list(a)) ?? [] { _ = try? kernel.stat(a + "/" + name) }
        }
    }

    private func compare(_ held: [NodeID]) throws -> [String] {
        var wrong: [String] = []
        let bystander = try Fixture(base: scene.fixture.base, configuration: scene.configuration)
        compare("", 5, bystander, &wrong)
        let names = (0..<4).map { "n\($0)" }
        for node in held {
            guard let listed = try? scene.kernel.names(in: node) else { continue }
            for name in names where scene.kernel.exists(name, from: node) != listed.contains(name) {
                wrong.append("\(name) in \(node.rawValue), which somebody holds: \(listed)")
            }
        }
        return wrong
    }

    private func compare(_ path: String, _ depth: Int, _ bystander: Fixture, _ wrong: inout [String]) {
        let there = ((try? bystander.names(path)) ?? []).filter { !$0.hasPrefix(".") }
        let shown = ((try? scene.kernel.list(path)) ?? []).sorted().filter { !$0.hasPrefix(".") }
        if there != shown { wrong.append("listing of \(path): \(shown) not \(there)") }
        for name in Set((0..<4).map { "n\($0)" } + there).sorted() {
            let path = path.isEmpty ? name : path + "/" + name
            let fresh = try? bystander.attributes(path)
            let kept = try? scene.kernel.stat(path)
            if fresh?.inode != kept?.inode || fresh?.mode != kept?.mode || fresh?.size != kept?.size
                || fresh?.modificationTime != kept?.modificationTime || fresh?.linkCount != kept?.linkCount
            {
                let (fresh, kept) = ("\(fresh as Any)", "\(kept as Any)")
                wrong.append("\(path): \(kept.prefix(300)) not \(fresh.prefix(300))")
            }
            if fresh?.kind == .directory, depth > 0 { compare(path, depth - 1, bystander, &wrong) }
        }
    }
}

/// Lets the others go first for so many turns. Nothing is waited for: it makes the orders differ.
private func linger(_ turns: Int) {
    for _ in 0..<turns { sched_yield() }
}

import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// Groups that come and go at full speed in the lower.
extension CgroupTests {
    private static let changes = 10_000
    private static let names: [[TestPath]] = [["a0", "a1", "a2", "a3"], ["b0", "b1", "b2", "b3"]]
    /// A directory that the upper has an entry in, and one that the lower alone backs.
    private static let places: [TestPath] = ["home", "plain"]

    /// With `check` not one wrong answer, before any `sync`; and nothing is left of it in the server afterwards.
    @Test(.timeLimit(.minutes(3)), arguments: versions)
    func churn(version: Version) throws {
        let seed = SeededRandom.seed
        try withCgroup(in: version.hierarchy, "churn-\(version)") { group throws in
            for place in Self.places { _ = try group.make(place) }
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(
                    in: scratch, upper: upper, lowers: [group.path], options: ["coherence=check"]
                ) { union throws in
                    try Sys.put(union["home/note"], "text")
                    let start = try Holdings(of: union)
                    let churn = Churn(union: union, group: group, names: Self.names, places: Self.places)
                    try churn.run(Self.changes, seed: seed)
                    print("\(version), seed \(seed): \(churn.summary)")
                    #expect(churn.complaints == [])
                    #expect(churn.judged > Self.changes / 2)
                    #expect(try Sys.names(union["plain"]) == Sys.names(group.path / "plain"))
                    // Forgets are on their way when the remount returns.
                    try eventually("the server holds what it held before: \(start)") {
                        try Holdings(of: union) == start
                    }
                }
            }
        }
    }

    /// What the server holds when the kernel keeps nothing.
    private struct Holdings: Equatable, CustomStringConvertible {
        let nodes: Int
        let watches: Int
        let listings: Int
        let openFiles: Int
        let descriptors: Int

        init(of union: Union) throws {
            try union.dropKernelCaches()
            let status = try union.control.status()
            nodes = status["nodes"]
            watches = status["watches"]
            listings = status["listings"]
            openFiles = status["backing_files"]
            let opened = TestPath("/proc/\(union.process ?? 0)/fd")
            // Each serving thread has one of the device; there are as many as were needed at once.
            descriptors = try Sys.names(opened).count { (try? Sys.readLink(opened / $0)) != "/dev/fuse" }
        }

        var description: String {
            "\(nodes) nodes, \(watches) watches, \(listings) listings, \(openFiles) open files, "
                + "\(descriptors) descriptors"
        }
    }

    /// Two who change, eight who look.
    private final class Churn: Sendable {
        private let union: TestPath
        private let group: TestPath
        private let plans: [ChurnPlan]
        private let permanent: [(path: TestPath, permanent: Set<TestPath>)]
        private let made = Atomic<Int>(0)
        private let looks = Atomic<Int>(0)
        private let running = Atomic<Int>(2)
        private let record = Mutex<(complaints: [String], judged: Int)>(([], 0))

        init(union: Union, group: Cgroup, names: [[TestPath]], places: [TestPath]) {
            self.union = union.mount
            self.group = group.path
            plans = names.map { ChurnPlan($0, in: places) }
            permanent = places.map { ($0, Set((try? Sys.names(union[$0])) ?? [])) }
        }

        var complaints: [String] { record.withLock { $0.complaints } }
        var judged: Int { record.withLock { $0.judged } }
        var summary: String {
            "\(made.load(ordering: .relaxed)) changes, \(looks.load(ordering: .relaxed)) looks, \(judged) of "
                + "them could have been wrong, \(complaints.count) were"
        }

        func run(_ changes: Int, seed: UInt64) throws {
            try together(
                plans.indices.map { index in
                    { @Sendable [self] in try change(plans[index], changes / 2, seed + UInt64(index)) }
                } + (0..<8).map { index in { @Sendable [self] in look(seed + 2 + UInt64(index)) } })
        }

        private func change(_ plan: ChurnPlan, _ count: Int, _ seed: UInt64) throws {
            defer { running.subtract(1, ordering: .sequentiallyConsistent) }
            var random = SeededRandom(seed: seed)
            var done = 0
            while done < count {
                let steps = try plan.step(in: group, &random)
                done += steps
                made.add(steps, ordering: .relaxed)
                // No faster than others can look.
                while looks.load(ordering: .relaxed) < 2 * made.load(ordering: .relaxed) { sched_yield() }
            }
            try plan.clear(in: group)
        }

        private func look(_ seed: UInt64) {
            var reader = ChurnReader(
                union: union, parents: plans.flatMap(\.parents), places: permanent, seed: seed)
            var complaints: [String] = []
            while running.load(ordering: .sequentiallyConsistent) > 0 {
                if let wrong = reader.step(), complaints.count < 5 { complaints.append(wrong) }
                looks.add(1, ordering: .relaxed)
            }
            record.withLock { record in
                record.complaints += complaints
                record.judged += reader.judged
            }
        }
    }
}

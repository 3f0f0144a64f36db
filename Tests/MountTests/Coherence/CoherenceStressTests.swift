import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// Changes at full speed in all layers while clients look: after `sync` the kernel shows what the layers hold.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct CoherenceStressTests {
    enum Arrangement: String, CaseIterable, Sendable {
        /// Changes come from below alone.
        case underneath
        /// A third client changes the mount.
        case both
        /// The same on ext4, which uses inode numbers again.
        case ext4

        var isAvailable: Bool { self != .ext4 || Machine.hasLoopDevices }
    }

    static let arrangements = Arrangement.allCases.filter { arrangement in
        guard let chosen = Machine.environment("SWITCHFS_STRESS_ARRANGEMENT") else {
            return arrangement.isAvailable
        }
        return chosen == arrangement.rawValue
    }

    /// For all arrangements together.
    static var duration: Double { Double(Machine.environment("SWITCHFS_STRESS_SECONDS") ?? "") ?? 30 }

    @Test(.timeLimit(.minutes(600)), arguments: arrangements)
    func showsWhatTheLayersHold(arrangement: Arrangement) throws {
        let seed = SeededRandom.seed
        print("seed \(seed) (SWITCHFS_TEST_SEED repeats it), \(arrangement)")
        try withScratch { scratch throws in
            let ground = try arrangement == .ext4 ? scratch.ext4("ground") : scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            try Sys.makeDirectory(upper)
            try Sys.makeDirectory(lower)
            try StressHoldings.prepare(lower)
            // What is told ahead is told by other ways, and in another order.
            try withUnion(in: scratch, upper: upper, lowers: [lower], options: ["ahead=always"]) {
                union throws in
                let holdings = try StressHoldings(in: union.mount, scratch)
                defer { holdings.close() }
                let stress = CoherenceStress(
                    check: StressCheck(
                        mount: union.mount, layers: [upper, lower], hasUpper: true, holdings: holdings),
                    control: union.control)
                var changes: [any StressChanger] = [
                    StressKept(
                        layers: [upper, lower], mount: union.mount,
                        changesMount: arrangement != .underneath, seed: seed + 10),
                    StressMutator(root: upper, outside: try Self.outside(ground, 0), marks: true, seed: seed),
                    StressMutator(
                        root: lower, outside: try Self.outside(ground, 1), marks: false, seed: seed + 1),
                ]
                if arrangement != .underneath {
                    changes.append(
                        StressMutator(root: union.mount, outside: nil, marks: false, seed: seed + 2))
                }
                try stress.run(
                    changes, (0..<3).map { StressReader(root: union.mount, seed: seed + 3 + UInt64($0)) },
                    seconds: Self.duration / Double(Self.arrangements.count))
                let told = try union.control.status()["told_ahead"]
                print("\(arrangement): \(stress.summary), \(told) told ahead")
                for text in stress.report { Issue.record("\(text)") }
            }
        }
    }

    private static func outside(_ ground: TestPath, _ number: Int) throws -> TestPath {
        let path = ground / "outside-\(number)"
        try Sys.makeDirectory(path)
        return path
    }
}

/// One run: who changes, who reads, and who compares after every round.
private final class CoherenceStress: Sendable {
    private struct Record {
        var rounds = 0
        var wrongRounds = 0
        var counts: [Mismatch.Kind: Int] = [:]
        var texts: [String] = []
        var errors: [String: Int] = [:]
    }

    private static let most = 40

    private let check: StressCheck
    private let control: Control
    private let mutators = Turnstile()
    private let readers = Turnstile()
    private let record = Mutex(Record())

    init(check: StressCheck, control: Control) {
        self.check = check
        self.control = control
    }

    /// The first mismatches and every error that nobody should see, in words.
    var report: [String] {
        record.withLock { record in
            record.texts + record.errors.map { "\($0.value) times \($0.key)" }
        }
    }

    var summary: String {
        record.withLock { record in
            let kinds = Mismatch.Kind.allCases.map { "\($0) \(record.counts[$0, default: 0])" }
            return "\(record.rounds) rounds, \(record.rounds * check.checks) checks, "
                + "\(mutators.steps) changes, \(readers.steps) looks, wrong rounds \(record.wrongRounds): "
                + kinds.joined(separator: ", ")
        }
    }

    func run(_ changes: [any StressChanger], _ looks: [StressReader], seconds: Double) throws {
        let deadline = Deadline(seconds)
        try together(
            changes.map { change in { @Sendable [self] in mutate(change) } }
                + looks.map { look in { @Sendable [self] in read(look) } }
                + [{ @Sendable [self] in try compare(until: deadline) }])
    }

    private func mutate(_ mutator: any StressChanger) {
        var mutator = mutator
        mutators.run { if let error = mutator.step(), error == .ioError { note(error.name, "a change") } }
    }

    private func read(_ reader: StressReader) {
        var reader = reader
        readers.run { if let error = reader.step() { note(error, "a look") } }
    }

    private func note(_ error: String, _ what: String) {
        record.withLock { $0.errors["\(what) ended with \(error)", default: 0] += 1 }
    }

    private func compare(until deadline: Deadline) throws {
        defer {
            mutators.end()
            readers.end()
        }
        while !deadline.passed, record.withLock({ $0.texts.count < Self.most }) {
            let steps = mutators.steps
            mutators.open()
            try eventually("200 changes more") { mutators.steps >= steps + 200 }
            try mutators.shut()
            try control.synchronize()
            let found = try check.findings(control)
            record.withLock { record in
                record.rounds += 1
                for mismatch in found { record.counts[mismatch.kind, default: 0] += 1 }
                let wrong = found.filter { $0.kind != .refusal }
                if !wrong.isEmpty { record.wrongRounds += 1 }
                for mismatch in wrong {
                    record.texts.append("round \(record.rounds): \(mismatch)")
                }
            }
        }
    }
}

import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// Cgroups that change at full speed below a union that watches them: what shows after each `sync` is what is
/// there. `SWITCHFS_STRESS_SECONDS` (15) and `SWITCHFS_STRESS_CGROUPS` (200) make more of it by hand.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct CgroupStressTests {
    private static let duration = Double(Machine.environment("SWITCHFS_STRESS_SECONDS") ?? "") ?? 15
    private static let count = Int(Machine.environment("SWITCHFS_STRESS_CGROUPS") ?? "") ?? 200

    @Test(arguments: CgroupTests.versions)
    func showsWhatTheTreeHolds(version: CgroupTests.Version) throws {
        let seed = SeededRandom.seed
        try withCgroup(in: version.hierarchy, "stress-\(version)") { group throws in
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path]) { union throws in
                    let stress = try CgroupStress(
                        version, union.mount, group.path, inNamespace: scratch.directory("namespace"),
                        count: Self.count)
                    var random = SeededRandom(seed: seed)
                    let end = Deadline(Self.duration)
                    var rounds = 0
                    var wrong: [String] = []
                    repeat {
                        try stress.run(&random)
                        try union.synchronize()
                        wrong = try stress.compare(&random)
                        rounds += 1
                    } while !end.passed && wrong.isEmpty
                    #expect(wrong.isEmpty, "seed \(seed), round \(rounds): \(wrong.prefix(10))")
                    let status = try union.control.status()
                    print(
                        "\(version), seed \(seed): \(rounds) rounds, \(stress.changes) changes, "
                            + "\(stress.looks) looks, \(status["overflows"]) overflows")
                    #expect(rounds > 0 && stress.changes > 100 && stress.looks > 100)
                }
            }
        }
    }
}

/// Two who change, eight who look, and the comparison.
private final class CgroupStress: Sendable {
    /// Names that come and go in a parent.
    private static let names = (0..<12).map { TestPath("g\($0)") }
    private static let changesPerRound = 100

    private let version: CgroupTests.Version
    private let union: TestPath
    private let tree: TestPath
    private let namespace: TestPath
    private let parents: [TestPath]
    /// A controller of the hierarchy that the parents can give to their children.
    private let controller: String?
    private let made = Atomic<Int>(0)
    private let looked = Atomic<Int>(0)
    private let running = Atomic<Int>(0)

    var changes: Int { made.load(ordering: .relaxed) }
    var looks: Int { looked.load(ordering: .relaxed) }

    init(
        _ version: CgroupTests.Version, _ union: TestPath, _ tree: TestPath, inNamespace: TestPath, count: Int
    ) throws {
        self.version = version
        self.union = union
        self.tree = tree
        namespace = inNamespace
        parents = (0..<max(count / 10, 2)).map { TestPath("p\($0)") }
        for parent in parents {
            for child in 0..<10 { try Sys.makeDirectories(tree / parent / TestPath("s\(child)")) }
        }
        // One parent in ten is in two layers.
        for parent in parents.enumerated() where parent.offset % 10 == 0 {
            try Sys.put(union / parent.element / "note", "x")
        }
        controller = Self.controller(version, tree)
    }

    /// Gives the parents a controller. nil: there is none to be had.
    private static func controller(_ version: CgroupTests.Version, _ tree: TestPath) -> String? {
        guard version == .v2, let known = try? Sys.text(tree.parent / "cgroup.controllers"),
            let name = known.split(whereSeparator: \.isWhitespace).first
        else { return nil }
        for directory in [tree.parent, tree] {
            try? Sys.overwrite(directory / "cgroup.subtree_control", "+\(name)\n")
        }
        return (try? Sys.text(tree / "p0/cgroup.controllers"))?.isEmpty == false ? String(name) : nil
    }

    // --- changes and looks

    func run(_ random: inout SeededRandom) throws {
        let seeds = (0..<10).map { _ in random.next() }
        running.store(2, ordering: .sequentiallyConsistent)
        try together(
            (0..<2).map { index in { @Sendable [self] in try change(index, seeds[index]) } }
                + (2..<10).map { index in { @Sendable [self] in look(seeds[index]) } })
    }

    /// Changes half of the parents. The second does so from a cgroup namespace, with a mount of its own.
    private func change(_ index: Int, _ seed: UInt64) throws {
        defer { running.subtract(1, ordering: .sequentiallyConsistent) }
        let root = index == 1 && version == .v2 ? try enterNamespace() : tree
        var random = SeededRandom(seed: seed)
        for _ in 0..<Self.changesPerRound {
            let parent = parents[random.below(parents.count / 2) * 2 + index]
            do throws(Errno) {
                try change(root / parent, &random)
                made.add(1, ordering: .relaxed)
            } catch {
                // The name is taken or free, a group has others in it, or is threaded.
                let expected: [Errno] = [
                    .fileExists, .noSuchFileOrDirectory, .resourceBusy, .directoryNotEmpty,
                    .notSupportedOnSocket, .invalidArgument,
                ]
                if !expected.contains(error) { throw error }
            }
        }
    }

    private func enterNamespace() throws -> TestPath {
        try enterCgroupNamespace()
        try Sys.mount("cgroup2", on: namespace, type: "cgroup2")
        return namespace / tree.name
    }

    private func change(_ parent: TestPath, _ random: inout SeededRandom) throws(Errno) {
        let group = parent / Self.names[random.below(Self.names.count)]
        switch random.below(12) {
        case 0...2: try Sys.makeDirectory(group)
        case 3, 4: try Sys.removeDirectory(group)
        case 5:
            guard version == .v1 else { return try Sys.makeDirectory(group) }
            try Sys.rename(group, parent / Self.names[random.below(Self.names.count)])
        case 6: try Sys.changeMode(group / "cgroup.procs", 0o600 + UInt32(random.below(64)))
        case 7: try Sys.changeOwner(group / "cgroup.procs", uid: UInt32(random.below(3)), gid: 1)
        case 8: try Sys.changeMode(group, 0o700 + UInt32(random.below(64)))
        case 9: try write(random.below(2) == 0 ? "0\n" : "1\n", to: group / "cgroup.pressure")
        case 10: try write("threaded\n", to: group / "cgroup.type")
        default:
            guard let controller else { return try Sys.makeDirectory(group) }
            let sign = random.below(2) == 0 ? "+" : "-"
            try write("\(sign)\(controller)\n", to: parent / "cgroup.subtree_control")
        }
    }

    private func write(_ text: String, to file: TestPath) throws(Errno) {
        guard version == .v2 else { return }
        try Sys.overwrite(file, text)
    }

    private func look(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        while running.load(ordering: .sequentiallyConsistent) > 0 {
            let parent = union / parents[random.below(parents.count)]
            let group = parent / Self.names[random.below(Self.names.count)]
            switch random.below(5) {
            case 0: _ = try? Sys.names(parent)
            case 1: _ = try? Sys.names(group)
            case 2: _ = try? Sys.facts(group)
            case 3: _ = try? Sys.text(group / "cgroup.procs")
            default: for file in Self.comingFiles { _ = Sys.exists(group / file) }
            }
            looked.add(1, ordering: .relaxed)
        }
    }

    /// Files that come and go in a group that stays.
    private static let comingFiles: [TestPath] = [
        "cpu.pressure", "memory.pressure", "io.pressure", "hugetlb.2MB.max", "hugetlb.1GB.events",
        "memory.max", "pids.max", "cgroup.procs",
    ]

    // --- what must be so

    /// Compares some parents, and all groups in them. Returns what differs.
    func compare(_ random: inout SeededRandom) throws -> [String] {
        var wrong: [String] = []
        for _ in 0..<min(parents.count, 40) {
            let parent = parents[random.below(parents.count)]
            try compare(parent, &wrong)
            for name in try Sys.list(tree / parent) where name.kind == .directory {
                try compare(parent / name.name, &wrong)
            }
            for name in Self.names where !Sys.exists(tree / parent / name) {
                if Sys.exists(union / parent / name) { wrong.append("\(parent / name) is there") }
            }
        }
        return wrong
    }

    private func compare(_ directory: TestPath, _ wrong: inout [String]) throws {
        let known = Set(try Sys.names(tree / directory))
        guard let shown = try? Set(Sys.names(union / directory)).subtracting(["note"]) else {
            return wrong.append("\(directory) can't be listed")
        }
        for name in known.symmetricDifference(shown).sorted() {
            wrong.append("\(directory)'s listing \(known.contains(name) ? "lacks" : "has") \(name)")
        }
        for name in known {
            let there = try Sys.facts(tree / directory / name)
            guard let here = try? Sys.facts(union / directory / name) else {
                wrong.append("\(directory / name) isn't there")
                continue
            }
            if (here.kind, here.mode, here.uid, here.gid) != (there.kind, there.mode, there.uid, there.gid) {
                wrong.append("\(directory / name) is \(here), not \(there)")
            }
        }
        for name in Self.comingFiles where !known.contains(name) && Sys.exists(union / directory / name) {
            wrong.append("\(directory / name) is there")
        }
    }
}

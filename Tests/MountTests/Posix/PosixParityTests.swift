import Glibc
import SwitchTestKit
import Testing

/// The same calls on a native directory and on a mount, compared errno for errno and fact for fact.
///
/// `SWITCHFS_TEST_MOUNT=dir` runs the suite on any directory instead (compare like with like: it should be
/// on the same kind of file system as the temporary directory).
@Suite(.enabled(if: Machine.isRoot, "needs root, to make calls as several users"))
struct PosixParityTests {
    /// Where the objects stand that the calls find.
    enum Arrangement: String, CaseIterable, Sendable {
        case plainUpper, inLower, besideLower
    }

    @Test(
        .enabled(if: Machine.canMount, "needs /dev/fuse"), arguments: Arrangement.allCases,
        Family.allCases)
    func answersAsANativeDirectory(arrangement: Arrangement, family: Family) throws {
        let scenarios = family.scenarios
        try withScratch(below: SharedDisk.path) { scratch throws in
            let expected = try NativeAnswers.of(family)
            let lower = try scratch.directory("lower")
            let upper = try scratch.directory("upper")
            if arrangement == .besideLower {
                for index in scenarios.indices { try Sys.makeDirectory(lower / "s\(index)") }
                for index in scenarios.indices { try Sys.changeMode(lower / "s\(index)", 0o777) }
            }
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                let ground =
                    arrangement == .inLower ? lower : arrangement == .plainUpper ? union.mount : upper
                let found = try ScenarioRunner(scenarios: scenarios, ground: ground, view: union.mount).run()
                Self.compare(expected, found, scenarios, homeIsMerged: arrangement == .besideLower)
            }
        }
    }

    @Test(
        .enabled(if: Machine.environment("SWITCHFS_TEST_MOUNT") != nil, "SWITCHFS_TEST_MOUNT is not set"),
        arguments: Family.allCases)
    func anyMountAnswersAsANativeDirectory(family: Family) throws {
        let scenarios = family.scenarios
        let place = TestPath(Machine.environment("SWITCHFS_TEST_MOUNT") ?? "")
        let scratch = try Scratch(below: place)
        defer { scratch.close() }
        let tree = scratch.root
        let expected = try NativeAnswers.of(family)
        let found = try ScenarioRunner(scenarios: scenarios, ground: tree, view: tree).run()
        Self.compare(expected, found, scenarios, homeIsMerged: false)
    }

    /// Everything is as in a native directory, but that a scenario's own directory has one link where it is merged.
    static func compare(
        _ expected: [[Record]], _ found: [[Record]], _ scenarios: [Scenario], homeIsMerged: Bool
    ) {
        var wrong: [String] = []
        var checked = 0
        for (index, scenario) in scenarios.enumerated() {
            for (want, have) in paired(expected[index], found[index]) {
                checked += 1
                let wanted = homeIsMerged && want.key == " links" ? "1" : want.value
                if wanted == have.value { continue }
                wrong.append("\(scenario.title): \(want.key): wanted \(wanted), mount \(have.value)")
            }
        }
        print("\(checked) facts compared in \(scenarios.count) scenarios, \(wrong.count) differ")
        for line in wrong.prefix(25) { Issue.record("\(line)") }
        if wrong.count > 25 { Issue.record("and \(wrong.count - 25) more facts") }
    }

    /// The records of one scenario side by side; what one side lacks is there as "absent".
    private static func paired(_ expected: [Record], _ found: [Record]) -> [(Record, Record)] {
        var rest = found
        var pairs: [(Record, Record)] = []
        for want in expected {
            if let at = rest.firstIndex(where: { $0.key == want.key }) {
                pairs.append((want, rest.remove(at: at)))
            } else {
                pairs.append((want, Record(key: want.key, value: "absent")))
            }
        }
        return pairs + rest.map { (Record(key: $0.key, value: "absent"), $0) }
    }
}

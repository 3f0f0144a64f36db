import SwitchTestKit
import SystemPackage
import Testing

/// What three layers may hold under a name, by what may be done with it: each outcome equals that on a plain directory
/// that holds what the union shows, or is EXDEV or EROFS with nothing changed in any layer.
///
/// `SWITCHFS_NAME_CASES=all` makes all calls in every setting; else it is all in the first, and some in the others.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct NameCombinationTests {
    static let settings: [NameSetting] = [
        NameSetting(options: ["coherence=watch"]),
        NameSetting(options: ["coherence=check"]),
        NameSetting(layers: 2, options: ["coherence=watch"]),
        NameSetting(layers: 2, options: ["coherence=check"]),
        NameSetting(readOnly: [1]),
        NameSetting(readOnly: [2]),
        NameSetting(readOnly: [1, 2], options: ["coherence=check"]),
        NameSetting(layers: 2, readOnly: [1]),
        NameSetting(options: ["create=lower", "mkdir=lower"]),
        NameSetting(options: ["create=fallback", "mkdir=fallback", "coherence=check"]),
        NameSetting(readOnly: [1], options: ["create=lower", "mkdir=lower"]),
        NameSetting(options: ["whiteout=off"], allowed: [.resourceBusy]),
        NameSetting(options: ["orphans=hide"]),
        NameSetting(hasUpper: false, options: ["create=lower", "mkdir=lower"], allowed: [.resourceBusy]),
    ]

    /// Every eleventh, by a seed that is printed: it divides no column's number of calls, so that all calls are met.
    private static func cases(of setting: NameSetting) -> [NameCase] {
        let all = NameCase.all(layers: setting.layers)
        let isFirst = setting.testDescription == settings[0].testDescription
        if isFirst || Machine.environment("SWITCHFS_NAME_CASES") == "all" { return all }
        let seed = SeededRandom.seed
        print("seed \(seed) (SWITCHFS_TEST_SEED repeats it)")
        return stride(from: Int(seed % 11), to: all.count, by: 11).map { all[$0] }
    }

    @Test(.timeLimit(.minutes(10)), arguments: settings)
    func equalsAPlainDirectory(setting: NameSetting) throws {
        try withScratch { scratch throws in
            let ground = try NameGround(setting, Self.cases(of: setting), in: scratch)
            let wrong = try ground.run(in: scratch)
            #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(40).joined(separator: "\n"))")
        }
    }
}

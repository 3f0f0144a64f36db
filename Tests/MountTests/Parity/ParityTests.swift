import SwitchTestKit
import Synchronization
import Testing

/// Callers × calls × modes × kinds of layers: each answer and each attribute afterwards through the union is the
/// one of the same call directly, on a fresh tree of the same kind.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ParityTests {
    enum Kind: String, CaseIterable, Sendable {
        case upper, lower, tmpfsLower

        /// Where new objects are to go, so that direct calls make them on the same filesystem.
        var options: [String] { self == .tmpfsLower ? ["create=lower", "mkdir=lower"] : [] }
    }

    @Test(arguments: Kind.allCases)
    func answersAsDirectly(kind: Kind) throws {
        try compare(kind, ParityRunner(every: kind == .tmpfsLower ? 7 : 1), options: [])
    }

    @Test(arguments: Kind.allCases)
    func answersAsDirectlyWithoutPassthrough(kind: Kind) throws {
        try compare(
            kind, ParityRunner(dataOnly: true, every: kind == .lower ? 1 : 7), options: ["passthrough=off"])
    }

    /// What isn't kept is asked each time: other ways through the server.
    @Test func answersAsDirectlyWhenNothingIsKept() throws {
        try compare(.lower, ParityRunner(every: 7), options: ["coherence=check"])
    }

    private func compare(_ kind: Kind, _ runner: ParityRunner, options: [String]) throws {
        try withScratch(below: SharedDisk.path) { scratch throws in
            let native: TestPath
            let layer: TestPath
            if kind == .tmpfsLower {
                native = try scratch.tmpfs("native")
                layer = try scratch.tmpfs("layer")
            } else {
                native = try scratch.directory("native")
                layer = try scratch.directory("layer")
            }
            let other = try scratch.directory("other")
            try runner.build(in: native)
            try runner.build(in: layer)
            let expected = try runner.run(in: native)
            let (upper, lower) = kind == .upper ? (layer, other) : (other, layer)
            let found = try withUnion(
                in: scratch, upper: upper, lowers: [lower], options: kind.options + options
            ) { union throws in
                try runner.run(in: union.mount)
            }
            let wrong = runner.differences(expected, found)
            print("\(kind) \(options): \(runner.count) cells, \(wrong.count) facts differ")
            for line in wrong.prefix(40) { Issue.record("\(line)") }
            if wrong.count > 40 { Issue.record("and \(wrong.count - 40) more") }
        }
    }
}

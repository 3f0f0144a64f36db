import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Four clients change one tree at random; the result must be the union of what the layers then hold.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct TreeStressTests {
    enum Arrangement: String, CaseIterable, Sendable {
        case upperOnly, lowerOnly, mixed, readOnlyLower
    }

    /// What calls may answer when others change the same names at the same time.
    static let plausible: Set<Errno> = [
        .noSuchFileOrDirectory, .fileExists, .notDirectory, .isDirectory, .directoryNotEmpty,
        .improperLink, .invalidArgument, .notPermitted, .tooManySymbolicLinkLevels,
    ]

    @Test(.timeLimit(.minutes(3)), arguments: Arrangement.allCases)
    func endsAsTheUnionOfItsLayers(arrangement: Arrangement) throws {
        let seed = SeededRandom.seed
        print("seed \(seed) (SWITCHFS_TEST_SEED repeats it), \(arrangement)")
        let tree: Tree = [
            "n0": ["n1": ["n2": "x", "n3": [:]], "n2": "y"], "n1": ["n0": "z"], "n2": "w", "n3": [:],
        ]
        let other: Tree = ["n0": ["n1": ["n4": "v"], "n5": ["n0": "u"]], "n4": "t", "n2": ["n1": "s"]]
        let lower = arrangement == .upperOnly ? [:] : tree
        let more = arrangement == .mixed ? [other] : []
        let upper: Tree = arrangement == .mixed ? ["n0": ["n6": "r"], "n5": ["n5": "q"]] : [:]
        let attributes = arrangement == .readOnlyLower ? ["ro"] : []
        let options = arrangement == .lowerOnly ? ["create=fallback", "mkdir=fallback"] : []
        try withUnion(
            lower: lower, more: more, upper: upper, attributes: attributes, options: options
        ) { union throws in
            let root = union.mount
            let plausible = Self.plausible.union(arrangement == .readOnlyLower ? [.readOnlyFileSystem] : [])
            let done = Flagged()
            try together(
                (0..<4).map { index in
                    { @Sendable in
                        var client = StressClient(root: root, seed: seed &+ UInt64(index))
                        let deadline = Deadline(4)
                        while !deadline.passed {
                            try client.step(allowing: plausible)
                            done.add()
                        }
                    }
                })
            print("\(arrangement): \(done.count) operations")
            let shown = try Snapshot(root)
            let layers = (union.upper.map { [$0] } ?? []) + union.lowers
            let expected = try UnionModel.snapshot(of: layers)
            #expect(shown.differences(from: expected) == [], "mount, not the layers' union")
            let numbered = try Snapshot(root, inodes: true)
            try union.restart()
            #expect(try Snapshot(root, inodes: true).differences(from: numbered) == [], "after the remount")
            try run(["rm", "-rf"] + Sys.names(root).map { (root / $0).text }).orThrow()
            #expect(try Sys.names(root) == [])
        }
    }
}

/// One client's random calls.
private struct StressClient {
    private let root: TestPath
    private var random: SeededRandom

    init(root: TestPath, seed: UInt64) {
        self.root = root
        random = SeededRandom(seed: seed)
    }

    mutating func step(allowing plausible: Set<Errno>) throws {
        let (a, b) = (path(), path())
        let choice = random.below(20)
        let amount = random.below(5000)
        let flags = [0, 0, 0, 1, 2][random.below(5)] as UInt32
        do {
            try Self.call(choice, a, b, amount, flags)
        } catch let error as Errno where plausible.contains(error) {
        } catch {
            throw FixtureError("operation \(choice) on \(a), \(b): \((error as? Errno)?.name ?? "\(error)")")
        }
    }

    private static func call(
        _ choice: Int, _ a: TestPath, _ b: TestPath, _ amount: Int, _ flags: UInt32
    ) throws {
        switch choice {
        case 0...3:
            let handle = try Sys.open(a, O_RDWR | O_CREAT | (flags == 1 ? O_EXCL : 0))
            try handle.write([UInt8](repeating: UInt8(amount & 0xff), count: amount), at: Int64(amount))
            _ = try handle.facts()
        case 4, 5: try Sys.makeDirectory(a)
        case 6: try Sys.removeDirectory(a)
        case 7, 8: try Sys.unlink(a)
        case 9, 10, 11: try Sys.rename(a, b, flags: flags)
        case 12: try Sys.link(a, b)
        case 13: try Sys.makeSymlink(a, to: b.name)
        case 14: try Sys.truncate(a, to: Int64(amount))
        case 15: if try Sys.facts(a).kind != .symlink { try Sys.changeMode(a, 0o600 | UInt32(amount & 0o77)) }
        case 16: _ = try Sys.list(a)
        case 17: _ = try Sys.contents(a)
        case 18: try Sys.changeTimes(a, modified: Int64(amount))
        default: _ = try Sys.facts(a)
        }
    }

    private mutating func path() -> TestPath {
        var path = root
        for _ in 0..<(1 + random.below(3)) { path = path / TestPath("n\(random.below(7))") }
        return path
    }
}

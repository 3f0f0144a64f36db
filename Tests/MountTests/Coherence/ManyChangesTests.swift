import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// 100,000 random changes in all layers, while clients look; then the union shows what the layers hold.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ManyChangesTests {
    enum Ground: String, CaseIterable, Sendable {
        case tmpfs, ext4
    }

    static let grounds = Ground.allCases.filter { $0 == .tmpfs || Machine.hasLoopDevices }
    /// Of each ground.
    static let changes = 100_000 / grounds.count

    @Test(.timeLimit(.minutes(5)), arguments: grounds)
    func allOfThemShow(on kind: Ground) throws {
        let seed = SeededRandom.seed
        try withScratch { scratch throws in
            let ground = try kind == .ext4 ? scratch.ext4("ground", megabytes: 256) : scratch.tmpfs("ground")
            let layers: [TestPath] = ["upper", "lower", "bottom"].map { ground / $0 }
            for layer in layers {
                try Sys.makeDirectory(layer)
                try Sys.makeDirectory(layer + "-outside")
                for name in StressNames.many.directories { try Sys.makeDirectory(layer / name) }
            }
            try withUnion(in: scratch, upper: layers[0], lowers: Array(layers[1...])) { union throws in
                let stress = ManyChanges(total: Self.changes)
                let mutators = layers.enumerated().map { index, layer in
                    StressMutator(
                        root: layer, outside: layer + "-outside", marks: index == 0, names: .many,
                        seed: seed + UInt64(index))
                }
                let readers = (0..<3).map {
                    StressReader(root: union.mount, names: .many, seed: seed + 10 + UInt64($0))
                }
                try stress.run(mutators, readers)
                try union.synchronize()
                let check = StressCheck(mount: union.mount, layers: layers, hasUpper: true, names: .many)
                let found = try check.findings(union.control)
                let shown = try LayerModel(layers: layers, hasUpper: true).tree.objects.count
                print("\(kind), seed \(seed): \(stress.summary), \(shown) names, \(found.count) wrong")
                #expect(found.prefix(10).map(\.description) == [])
                #expect(stress.errors == [])
                #expect(shown > 100)
            }
        }
    }
}

/// Makes the changes, and looks until they are made.
private final class ManyChanges: Sendable {
    private let total: Int
    private let made = Atomic<Int>(0)
    private let looks = Atomic<Int>(0)
    private let unexpected = Mutex<Set<String>>([])

    init(total: Int) {
        self.total = total
    }

    var errors: [String] { unexpected.withLock { $0.sorted() } }
    var summary: String {
        "\(made.load(ordering: .relaxed)) changes, \(looks.load(ordering: .relaxed)) looks"
    }

    func run(_ mutators: [StressMutator], _ readers: [StressReader]) throws {
        try together(
            mutators.map { mutator in { @Sendable [self] in change(mutator) } }
                + readers.map { reader in { @Sendable [self] in look(reader) } })
    }

    /// Those that fail don't count.
    private func change(_ mutator: StressMutator) {
        var mutator = mutator
        while made.load(ordering: .relaxed) < total {
            let error = mutator.step()
            if error == nil { made.add(1, ordering: .relaxed) }
            if error == .ioError { note("a change ended with EIO") }
        }
    }

    private func look(_ reader: StressReader) {
        var reader = reader
        while made.load(ordering: .relaxed) < total {
            if let error = reader.step() { note("a look ended with \(error)") }
            looks.add(1, ordering: .relaxed)
        }
    }

    private func note(_ text: String) {
        _ = unexpected.withLock { $0.insert(text) }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage

/// Looks at random names of a mount, all the time, and keeps some directories open.
struct StressReader {
    let root: TestPath
    let names: StressNames
    private var random: SeededRandom
    private var kept: [Handle] = []

    /// What a look may end with while the tree changes. ESTALE: what is being looked at was replaced twice in
    /// the time of one look, or within a directory that was opened before it was.
    private static let plausible: Set<Errno> = [
        .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .noSuchAddressOrDevice,
        .staleNFSFileHandle,
    ]

    init(root: TestPath, names: StressNames = .few, seed: UInt64) {
        self.names = names
        self.root = root
        random = SeededRandom(seed: seed)
    }

    /// Returns an error that nobody should see, and at what.
    mutating func step() -> String? {
        let path = root / names.random(&random)
        let kind = random.below(16)
        do {
            try look(at: path, kind)
            return nil
        } catch let error as Errno {
            return Self.plausible.contains(error) ? nil : "\(error.name) (\(kind), \(path))"
        } catch {
            return "\(error)"
        }
    }

    private mutating func look(at path: TestPath, _ kind: Int) throws {
        switch kind {
        case 0...8: _ = try Sys.facts(path)
        case 9: _ = try Sys.list(path)
        case 10: for name in try Sys.names(path) { _ = try Sys.facts(path / name) }
        case 11: _ = try Sys.list(root)
        case 12: _ = try Sys.open(path, O_RDONLY | O_NONBLOCK).facts()
        case 13:
            if kept.count > 5 { kept.remove(at: random.below(kept.count)) }
            kept.append(try Sys.open(path, Flag.path | Flag.directory))
        default:
            guard let directory = kept.randomElement(using: &random) else { return }
            let below = TestPath("/proc/self/fd/\(directory.descriptor)")
            _ = try Sys.facts(below / names.byDepth[0][random.below(names.byDepth[0].count)])
        }
    }
}

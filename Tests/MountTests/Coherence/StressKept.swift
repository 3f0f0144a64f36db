import Glibc
import SwitchTestKit
import SystemPackage

/// Changes what backs the directories of `StressHoldings`, and files in and beside them, so that each is there at
/// every moment: a layer's goes only while another has a real one.
struct StressKept: StressChanger {
    private let layers: [TestPath]
    private let mount: TestPath
    /// Who uses the mount only looks, otherwise.
    private let changesMount: Bool
    private var random: SeededRandom

    init(layers: [TestPath], mount: TestPath, changesMount: Bool, seed: UInt64) {
        self.layers = layers
        self.mount = mount
        self.changesMount = changesMount
        random = SeededRandom(seed: seed)
    }

    mutating func step() -> Errno? {
        do {
            try change()
            return nil
        } catch {
            return error as? Errno
        }
    }

    private mutating func change() throws {
        let number = random.below(layers.count)
        let (layer, other) = (layers[number], layers[(number + 1) % layers.count])
        let leaf = StressHoldings.leaves[random.below(StressHoldings.leaves.count)]
        switch random.below(600) {
        case 0..<150: try Sys.makeDirectories(layer / leaf)
        case 150..<300: try remove(leaf, from: layer, having: other)
        // What bridges a gap is then often in a part that nobody watches yet.
        case 300..<360: try removeParents(of: leaf)
        case 360..<400: try changeFile(in: layer)
        case 400..<402: try mountAndUnmount(layer)
        case 402..<500: if changesMount { try changeFile(in: mount) } else { try look() }
        default: try look()
        }
    }

    /// With the files in it.
    private func remove(_ leaf: TestPath, from layer: TestPath, having other: TestPath) throws {
        guard isReal(other / leaf) else { return }
        for name in try Sys.names(layer / leaf) { try Sys.unlink(layer / leaf / name) }
        try Sys.removeDirectory(layer / leaf)
    }

    /// In the upper alone: the lower has them for good.
    private func removeParents(of leaf: TestPath) throws {
        try Sys.removeDirectory(layers[0] / leaf.parent)
    }

    /// A directory that isn't the union's own bookkeeping.
    private func isReal(_ path: TestPath) -> Bool {
        guard Sys.exists(path), let marks = try? Sys.xattrs(path) else { return false }
        return !marks.contains { $0.contains(".switchfs.") }
    }

    private mutating func changeFile(in root: TestPath) throws {
        let place = [StressHoldings.stood, StressHoldings.opened, "kept", "kept/deep"][random.below(4)]
        let (file, second) = (randomFile(), randomFile())
        switch random.below(5) {
        case 0, 1: try Sys.put(root / place / file, "\(random.below(1000))")
        case 2: try Sys.unlink(root / place / file)
        case 3: try Sys.rename(root / place / file, root / place / second)
        default: try Sys.changeMode(root / place / file, 0o600 | UInt32(random.below(0o200)))
        }
    }

    private mutating func randomFile() -> TestPath {
        StressHoldings.files[random.below(StressHoldings.files.count)]
    }

    private func mountAndUnmount(_ layer: TestPath) throws {
        let path = layer / "mounted-inside"
        try Sys.makeDirectories(path)
        try Sys.mount("tmpfs", on: path, type: "tmpfs")
        try Sys.unmount(path, lazily: true)
    }

    private mutating func look() throws {
        for leaf in StressHoldings.leaves { _ = try Sys.facts(mount / leaf) }
        _ = try? Sys.facts(mount / StressHoldings.stood / randomFile())
        _ = try Sys.list(mount / "kept/deep")
    }
}

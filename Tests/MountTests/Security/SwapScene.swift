import SwitchTestKit
import SystemPackage

/// Layers and what is outside of them, with names that lead there from the layers only.
///
/// The symbolic links go up and out: `../../outside` from a directory of a layer's root. From the mount, which is
/// less deep, the same link leads nowhere, so that what shows of the outside has been shown by the union.
struct SwapScene: Sendable {
    let upper: TestPath
    let lower: TestPath
    /// Must stay as it is, unseen.
    let outside: TestPath
    /// Beside the layers: directories are moved there and back.
    let elsewhere: TestPath

    static let secret = "nobody may read this"
    static let onlyOutside: TestPath = "only-outside"
    /// What stands in each directory that is swapped, and under the same names outside.
    private static let content: Tree = ["f": "inside", "g": "inside", "sub": ["f": "inside", "h": "inside"]]
    private static let outsideContent: Tree = [
        "f": .init(stringLiteral: secret), "g": .init(stringLiteral: secret), onlyOutside: "",
        "sub": ["f": .init(stringLiteral: secret), "h": .init(stringLiteral: secret), onlyOutside: ""],
    ]

    /// Where in the layers something is swapped: a directory, or a file, and the link beside it.
    static let directories: [TestPath] = ["a/d", "a/e", "b/d"]
    static let files: [TestPath] = ["a/f", "b/f"]
    static let travellers: [TestPath] = ["a/moved", "b/sub"]

    init(in scratch: Scratch) throws {
        upper = try scratch.directory("deep/er/layers/upper")
        lower = try scratch.directory("deep/er/layers/lower")
        outside = try scratch.tree("deep/er/layers/outside", Self.outsideContent)
        elsewhere = try scratch.directory("deep/er/layers/elsewhere")
        for layer in [upper, lower] {
            for path in Self.directories + Self.travellers { try Self.makeDirectory(layer / path) }
            for path in Self.files { try Sys.put(layer / path, "inside") }
            for path in Self.directories { try Sys.makeSymlink(Self.link(layer / path), to: "../../outside") }
            for path in Self.files { try Sys.makeSymlink(Self.link(layer / path), to: "../../outside/f") }
        }
        // Of the upper, half: what is there alone, and what is merged.
        Sys.removeTree(upper / "b")
    }

    static func link(_ path: TestPath) -> TestPath { path + ".link" }

    static func makeDirectory(_ path: TestPath) throws {
        try Sys.makeDirectories(path)
        try content.build(at: path)
    }

    /// Inode numbers that nothing in the union may have.
    var hidden: Set<UInt64> {
        get throws {
            Set(try Snapshot(outside, inodes: true).items.values.map(\.inode) + [Sys.facts(outside).inode])
        }
    }
}

/// Swaps as fast as it can, until told to end.
struct Swapper {
    private let scene: SwapScene
    private var random: SeededRandom
    private(set) var swaps = 0

    init(_ scene: SwapScene, seed: UInt64) {
        self.scene = scene
        random = SeededRandom(seed: seed)
    }

    mutating func step() {
        let layer = random.below(3) == 0 ? scene.upper : scene.lower
        do {
            switch random.below(6) {
            case 0...2: try exchange(layer / SwapScene.directories[random.below(3)])
            case 3, 4: try exchange(layer / SwapScene.files[random.below(2)])
            default: try travel(layer / SwapScene.travellers[random.below(2)])
            }
            swaps += 1
        } catch {
            restore(layer)
        }
    }

    private func exchange(_ path: TestPath) throws {
        try Sys.rename(path, SwapScene.link(path), flags: Flag.renameExchange)
    }

    /// Out of the layer and back.
    private func travel(_ path: TestPath) throws {
        let place = scene.elsewhere / path.name
        try Sys.rename(path, place, flags: Flag.renameNoReplace)
        try Sys.rename(place, path, flags: Flag.renameNoReplace)
    }

    /// Clients have taken something away. What is put there is made elsewhere and moved, for a path in a layer may
    /// lead out of it by now, and would take us there.
    private func restore(_ layer: TestPath) {
        for path in SwapScene.travellers { Sys.removeTree(scene.elsewhere / path.name) }
        for path in SwapScene.directories + SwapScene.travellers {
            put(layer / path) { try SwapScene.makeDirectory($0) }
        }
        for path in SwapScene.files { put(layer / path) { try Sys.put($0, "inside") } }
        for path in SwapScene.directories {
            put(SwapScene.link(layer / path)) { try Sys.makeSymlink($0, to: "../../outside") }
        }
        for path in SwapScene.files {
            put(SwapScene.link(layer / path)) { try Sys.makeSymlink($0, to: "../../outside/f") }
        }
    }

    private func put(_ path: TestPath, _ make: (TestPath) throws -> Void) {
        guard !Sys.exists(path) else { return }
        let new = scene.elsewhere / "new"
        Sys.removeTree(new)
        try? make(new)
        try? Sys.rename(new, path, flags: Flag.renameNoReplace)
    }
}

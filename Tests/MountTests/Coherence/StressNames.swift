import SwitchTestKit

/// The few names that a stress test's changes and looks meet on.
enum StressNames {
    static let byDepth: [[TestPath]] = [["n0", "n1", "n2", "n3"], ["n0", "n1", "n2", "n3"], ["n0", "n1"]]

    /// Every path that can be there, parents first.
    static let all: [TestPath] = {
        var all: [TestPath] = []
        var parents: [TestPath] = [""]
        for names in byDepth {
            parents = parents.flatMap { parent in names.map { parent / $0 } }
            all += parents
        }
        return all
    }()

    /// One of them; deep ones are rarer than their number would make them.
    static func random(_ random: inout SeededRandom, depth: Int = 3) -> TestPath {
        let levels = min(depth, [1, 1, 2, 2, 2, 3][random.below(6)])
        return byDepth.prefix(levels).reduce(into: "") { path, names in
            path = path / names[random.below(names.count)]
        }
    }
}

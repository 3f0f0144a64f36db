import SwitchTestKit

/// The names that a stress test's changes and looks meet on.
struct StressNames: Sendable {
    /// Of each depth.
    let byDepth: [[TestPath]]
    /// Every path that can be there, parents first.
    let all: [TestPath]

    /// How often each depth is: one of these by chance.
    private let depths: [Int]

    private init(_ counts: [Int], depths: [Int]) {
        self.depths = depths
        byDepth = counts.map { count in (0..<count).map { "n\($0)" } }
        var all: [TestPath] = []
        var parents: [TestPath] = [""]
        for names in byDepth {
            parents = parents.flatMap { parent in names.map { parent / $0 } }
            all += parents
        }
        self.all = all
    }

    /// So few that everybody meets everybody all the time.
    static let few = StressNames([4, 4, 2], depths: [1, 1, 2, 2, 2, 3])
    /// A tree of some size, in which changes near the root are rare: each may take much away.
    static let many = StressNames(
        [8, 24, 8], depths: [1] + Array(repeating: 2, count: 20) + Array(repeating: 3, count: 60))

    /// Those of the directories that can be there, parents first.
    var directories: [TestPath] {
        let first = byDepth[0].count
        return Array(all[..<(first + first * byDepth[1].count)])
    }

    /// One of them; deep ones are rarer than their number would make them.
    func random(_ random: inout SeededRandom, depth: Int = 3) -> TestPath {
        let levels = min(depth, depths[random.below(depths.count)])
        return byDepth.prefix(levels).reduce(into: "") { path, names in
            path = path / names[random.below(names.count)]
        }
    }
}

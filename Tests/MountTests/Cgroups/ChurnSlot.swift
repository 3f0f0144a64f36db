import SwitchTestKit
import Synchronization

/// A cgroup that one thread makes and removes over and over. Others can tell whether it was there all the time
/// of a look, or at no time: they note its phase before and after.
final class ChurnSlot: Sendable {
    let path: TestPath
    /// 4n: absent, 4n + 1: being made, 4n + 2: there, 4n + 3: being removed.
    private let counter = Atomic<Int>(0)

    init(_ path: TestPath) {
        self.path = path
    }

    var phase: Int { counter.load(ordering: .sequentiallyConsistent) }
    var isThere: Bool { phase % 4 == 2 }

    /// True: it was there all the time between the two phases; false: never; nil: nobody knows.
    static func presence(from before: Int, to after: Int) -> Bool? {
        guard before == after, before % 2 == 0 else { return nil }
        return before % 4 == 2
    }

    func make(in root: TestPath) throws {
        try move { try Sys.makeDirectory(root / path) }
    }

    func remove(in root: TestPath) throws {
        try move { try Sys.removeDirectory(root / path) }
    }

    private func move(_ change: () throws -> Void) throws {
        counter.add(1, ordering: .sequentiallyConsistent)
        try change()
        counter.add(1, ordering: .sequentiallyConsistent)
    }
}

/// What one thread changes: groups in a directory, and groups in those.
struct ChurnPlan: Sendable {
    struct Parent: Sendable {
        var slot: ChurnSlot
        var children: [ChurnSlot]
    }

    let parents: [Parent]

    init(_ names: [TestPath], in directories: [TestPath]) {
        parents = directories.flatMap { directory in
            names.map { name in
                Parent(
                    slot: ChurnSlot(directory / name),
                    children: ["c0", "c1", "c2"].map { ChurnSlot(directory / name / $0) })
            }
        }
    }

    /// One random change, or several where a group with groups in it goes. Returns how many.
    func step(in root: TestPath, _ random: inout SeededRandom) throws -> Int {
        let parent = parents[random.below(parents.count)]
        guard parent.slot.isThere else {
            try parent.slot.make(in: root)
            return 1
        }
        if random.below(4) == 0 { return try remove(parent, in: root) }
        let child = parent.children[random.below(parent.children.count)]
        try child.isThere ? child.remove(in: root) : child.make(in: root)
        return 1
    }

    /// Takes away what is left.
    func clear(in root: TestPath) throws {
        for parent in parents where parent.slot.isThere { _ = try remove(parent, in: root) }
    }

    private func remove(_ parent: Parent, in root: TestPath) throws -> Int {
        let children = parent.children.filter(\.isThere)
        for child in children { try child.remove(in: root) }
        try parent.slot.remove(in: root)
        return children.count + 1
    }
}

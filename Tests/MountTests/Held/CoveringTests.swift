import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Objects that are made over whiteouts, removed and renamed away again, while others try to reach what is below:
/// rule 2.9 of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct CoveringTests {
    static let modes = ["watch", "ttl", "check"]
    static let rounds = 300

    /// What a read-only lower holds under the name that others use.
    enum Hidden: CaseIterable, Sendable {
        case file, directory, symlink

        var node: TreeNode {
            let node: TreeNode =
                switch self {
                case .file: .file("hidden and long")
                case .directory: .directory(["ghost": "hidden"])
                case .symlink: .symlink("ghost")
                }
            return node.owned(by: CoveringRace.stranger, CoveringRace.stranger)
        }
    }

    private func race(
        _ mode: String, upper: Tree, lower: Tree, attributes: [String] = ["ro"],
        looks: [CoveringRace.Look], _ act: @escaping CoveringRace.Act
    ) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            for (name, tree) in [("upper", upper), ("lower", lower)] {
                try Sys.makeDirectory(ground / TestPath(name))
                try tree.build(at: ground / TestPath(name))
            }
            let before = try Snapshot(ground / "lower")
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: [ground / "lower"], attributes: attributes,
                options: ["coherence=\(mode)"]
            ) { union throws in
                let race = CoveringRace(in: union.mount, rounds: Self.rounds)
                try race.start(looks, act)
                #expect(race.complaints == [:])
                #expect(race.looks > 10)
            }
            #expect(try Snapshot(ground / "lower").differences(from: before) == [])
        }
    }

    /// Tries to reach `ghost` in a directory of the round.
    private func reaches(_ directory: @escaping @Sendable (Int) -> TestPath) -> [CoveringRace.Look] {
        Reach.allCases.map { reach in { union, round in reach.attempt("ghost", in: union / directory(round)) }
        }
    }

    @Test(arguments: modes, ["rw", "ro"])
    func aDirectoryMadeOverAWhiteout(mode: String, attribute: String) throws {
        let numbers = 0..<Self.rounds
        try race(
            mode, upper: Tree(numbers.map { (name: "w\($0)", node: .whiteout) }),
            lower: Tree(numbers.map { (name: "w\($0)", node: ["ghost": "hidden"]) }),
            attributes: [attribute], looks: reaches { "w\($0)" }
        ) { union, round in try Sys.makeDirectory(union / "w\(round)") }
    }

    @Test(arguments: modes)
    func aDirectoryRemovedAndMadeAgain(mode: String) throws {
        try race(
            mode, upper: ["w": .whiteout], lower: ["w": ["ghost": "hidden"]], looks: reaches { _ in "w" }
        ) { union, round in
            try Sys.makeDirectory(union / "w")
            if round % 2 == 0 { try Sys.put(union / "w/new", "new") }
            if round % 2 == 0 { try Sys.unlink(union / "w/new") }
            try Sys.removeDirectory(union / "w")
        }
    }

    /// The directory is renamed there and back.
    @Test(arguments: modes)
    func aDirectoryRenamedThereAndBack(mode: String) throws {
        try race(
            mode, upper: ["w": .whiteout, "d": [:]], lower: ["w": ["ghost": "hidden"]],
            looks: reaches { _ in "w" } + reaches { _ in "d" }
        ) { union, round in
            if round % 2 == 0 {
                try Sys.rename(union / "d", union / "w")
            } else {
                try Sys.rename(union / "w", union / "d")
            }
        }
    }

    @Test(arguments: modes, Hidden.allCases)
    func aFileMadeOverAWhiteout(mode: String, hidden: Hidden) throws {
        try race(
            mode, upper: ["f": .whiteout], lower: ["f": hidden.node], looks: CoveringRace.looks(at: "f")
        ) { union, round in
            try Sys.put(union / "f", "new")
            try Sys.unlink(union / "f")
        }
    }

    @Test(arguments: modes, Hidden.allCases)
    func aFileRenamedAway(mode: String, hidden: Hidden) throws {
        try race(mode, upper: ["f": "upper"], lower: ["f": hidden.node], looks: CoveringRace.looks(at: "f")) {
            union, round in
            if round % 2 == 0 {
                try Sys.rename(union / "f", union / "away")
            } else {
                try Sys.rename(union / "away", union / "f")
            }
        }
    }

    /// A link beside it keeps the file, and the name is replaced again and again.
    @Test(arguments: modes, Hidden.allCases)
    func aFileLinkedAndRemoved(mode: String, hidden: Hidden) throws {
        try race(
            mode, upper: ["f": .whiteout, "kept": "upper"], lower: ["f": hidden.node],
            looks: CoveringRace.looks(at: "f")
        ) { union, round in
            // The kernel counts a name that goes twice where it asks for attributes just then, and makes no link to
            // what it takes for removed. It asks again.
            let error = failure { try Sys.link(union / "kept", union / "f") }
            if error == .noSuchFileOrDirectory {
                _ = try Sys.facts(union / "kept")
                return
            }
            if let error { throw error }
            if round % 2 == 0 {
                try Sys.unlink(union / "f")
            } else {
                try Sys.put(union / "aside", "aside")
                try Sys.rename(union / "aside", union / "f")
                try Sys.unlink(union / "f")
            }
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A name that is there all the time never gives an error, however fast what it means is replaced: neither ESTALE nor
/// any other. `SWITCHFS_RACE_SECONDS` says for how long each is tried.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ReplaceRaceTests {
    /// What is replaced, and how, in a tree that has been prepared for it.
    enum Way: CaseIterable, Sendable {
        case fileByRename, fileFromElsewhere, fileExchanged, directoryExchanged, directoryExchangedElsewhere
        case emptyDirectory

        var names: [ReplaceRace.Name] {
            switch self {
            case .fileByRename, .fileFromElsewhere, .fileExchanged: [.file("d/f")]
            case .directoryExchanged, .directoryExchangedElsewhere: [.directory("d/x", holding: "f")]
            case .emptyDirectory: [.directory("d/x")]
            }
        }

        func prepare(_ root: TestPath) throws {
            for name in ["d/x", "d/y", "elsewhere/x"] as [TestPath] {
                try Sys.makeDirectories(root / name)
                if self != .emptyDirectory { try Sys.put(root / name / "f", ReplaceRace.text(1)) }
            }
            for name in ["d/f", "d/g"] as [TestPath] { try Sys.put(root / name, ReplaceRace.text(2)) }
        }

        func replace(in root: TestPath, _ number: Int) throws {
            let text = ReplaceRace.text(number)
            switch self {
            case .fileByRename:
                try Sys.put(root / "d/aside", text)
                try Sys.rename(root / "d/aside", root / "d/f")
            case .fileFromElsewhere:
                try Sys.put(root / "elsewhere/f", text)
                try Sys.rename(root / "elsewhere/f", root / "d/f")
            case .fileExchanged: try Sys.rename(root / "d/f", root / "d/g", flags: Flag.renameExchange)
            case .directoryExchanged: try Sys.rename(root / "d/x", root / "d/y", flags: Flag.renameExchange)
            case .directoryExchangedElsewhere:
                try Sys.rename(root / "d/x", root / "elsewhere/x", flags: Flag.renameExchange)
            case .emptyDirectory:
                if !Sys.exists(root / "d/y") { try Sys.makeDirectory(root / "d/y") }
                try Sys.rename(root / "d/y", root / "d/x")
            }
        }
    }

    static let modes = ["watch", "check", "ttl"]

    private func withLayers(_ mode: String, _ body: (Union) throws -> Void) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            for name in ["upper", "lower"] as [TestPath] { try Sys.makeDirectory(ground / name) }
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: [ground / "lower"],
                options: ["coherence=\(mode)"], body)
        }
    }

    private func expectNone(_ race: ReplaceRace, _ what: String) {
        print("\(what): \(race.summary)")
        #expect(race.complaints == [:], "\(what)")
    }

    /// A local file system gives none: what is asked of the union is what users have.
    @Test(arguments: Way.allCases)
    func onALocalFileSystem(way: Way) throws {
        try withScratch { scratch throws in
            let root = try scratch.tmpfs("ground")
            try way.prepare(root)
            let race = ReplaceRace(in: root)
            try race.run(way.names, seconds: 0.5) { try way.replace(in: root, $0) }
            expectNone(race, "\(way), local")
        }
    }

    @Test(arguments: Way.allCases, modes)
    func throughTheUnion(way: Way, mode: String) throws {
        try withLayers(mode) { union throws in
            try way.prepare(union.mount)
            let (race, root) = (ReplaceRace(in: union.mount), union.mount)
            try race.run(way.names) { try way.replace(in: root, $0) }
            expectNone(race, "\(way), \(mode), through the union")
        }
    }

    /// What is replaced lies in the lower; above it and beside it, the upper has directories of the same names.
    @Test(arguments: Way.allCases, modes)
    func underneath(way: Way, mode: String) throws {
        try withLayers(mode) { union throws in
            let (upper, lower) = (union.inUpper("u"), union.inLower("l"))
            for root in [upper, lower] {
                try Sys.makeDirectory(root)
                try way.prepare(root)
            }
            try Sys.makeDirectories(union.inUpper("l/d"))
            try Sys.makeDirectories(union.inLower("u/d"))
            let race = ReplaceRace(in: union.mount)
            let names = ["u", "l"].flatMap { (root: TestPath) in
                way.names.map { name in
                    var name = name
                    name.path = root / name.path
                    return name
                }
            }
            try race.run(names) { try way.replace(in: $0 % 2 == 0 ? upper : lower, $0 / 2) }
            expectNone(race, "\(way), \(mode), underneath")
        }
    }
}

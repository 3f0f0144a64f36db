import SwitchTestKit
import SystemPackage

/// A union of an upper and three lowers with users' mounts in it: on a file, on directories at several depths, here
/// and in another mount namespace. What holds them all is in the lower in the middle.
struct HeldScene {
    enum Mode: String, CaseIterable, Sendable {
        case watch, check, ttl

        var options: [String] {
            self == .ttl ? ["coherence=ttl", "ttl=0.02"] : ["coherence=\(rawValue)"]
        }
    }

    /// Top to bottom.
    static let high = 0
    static let middle = 1
    static let low = 2

    static let directories: [TestPath] = ["one", "a/b/c", "1/2/3/4/5"]
    static let others: TestPath = "p/q/r"

    private static let tree: Tree = [
        "etc": ["hosts": "of the layer", "other": "of the layer", "passwd": "p", "sibling": ["x": "x"]],
        "a": ["b": ["c": [:], "sibling": ["x": "x"]], "file": "f"],
        "1/2/3/4/5": [:],
        "one": [:],
        "p/q": ["r": [:], "sibling": ["x": "x"]],
        "any": ["thing": "t"],
        "lost/1": [:],
        "lost/2": [:],
    ]

    let union: Union
    let mode: Mode
    let held: HeldMounts
    /// On the layers' file system, beside them.
    let outside: TestPath

    /// Runs `body` with all of it; `prepare` is done to the union before anything is mounted in it.
    static func with(
        _ mode: Mode, prepare: (Union) throws -> Void = { _ in }, _ body: (HeldScene) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let names: [TestPath] = ["upper", "high", "middle", "low", "outside"]
            for name in names { try Sys.makeDirectory(ground / name) }
            try tree.build(at: ground / "middle")
            try Tree(dictionaryLiteral: ("etc", ["low": "l"])).build(at: ground / "low")
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: names[1...3].map { ground / $0 },
                options: mode.options
            ) { union throws in
                try prepare(union)
                let held = try HeldMounts(in: union, scratch)
                defer { held.close() }
                try held.bind(on: "etc/hosts")
                for place in directories { try held.tmpfs(on: place) }
                try held.bind(on: "etc/other", others: true)
                try held.tmpfs(on: others, others: true)
                let scene = HeldScene(union: union, mode: mode, held: held, outside: ground / "outside")
                try scene.demand("nothing happened")
                try body(scene)
                try scene.demand("all")
            }
        }
    }

    /// Has everything looked at, and then the mounts there; throws when one isn't.
    func demand(_ what: String) throws {
        do {
            try settle()
            try look()
        } catch let error as FixtureError {
            throw FixtureError("after \(what): \(error)")
        }
        let complaints = held.complaints()
        if !complaints.isEmpty {
            throw FixtureError("after \(what): \(complaints.joined(separator: "; "))")
        }
    }

    /// Until the change shows.
    private func settle() throws {
        switch mode {
        case .check: break
        case .watch: try union.synchronize()
        case .ttl:
            let end = Deadline(0.04)
            while !end.passed { try look() }
        }
    }

    /// As users do: walks to the places, and looks around on the way.
    private func look() throws {
        for directory in [""] + held.places.flatMap(\.above) {
            let error = failure {
                _ = try Sys.facts(union[directory])
                _ = try Sys.list(union[directory])
            }
            if let error { throw FixtureError("/\(directory), which is there: \(error.name)") }
            if Sys.exists(union[directory / "missing"]) { throw FixtureError("there is one missing") }
        }
        for place in held.places {
            _ = try? Sys.facts(union[place])
            _ = try? Sys.facts(held.others(place))
        }
    }

    /// The root of a lower, or of the upper for nil.
    func layer(_ index: Int?) -> TestPath { index.map { union.lowers[$0] } ?? union.upper ?? "" }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A client that goes through a directory is told of its files before it asks, and what is told is as true as any answer.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct TellingAheadTests {
    static let count = 4000

    /// A directory of `count` files that each say their number; with `layers` of them, spread over these.
    func withWide(
        layers: Int = 1, options: [String] = [], _ body: (Union, [TestPath]) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let lowers = (0..<layers).map { ground / "lower\($0)" }
            for lower in lowers { try Sys.makeDirectories(lower / "wide/sub") }
            let names = (0..<Self.count).map { TestPath("wide/f\($0)") }
            for (number, name) in names.enumerated() {
                try Sys.put(lowers[number % layers] / name, "\(number)")
            }
            try Sys.makeDirectories(ground / "upper")
            try withUnion(in: scratch, upper: ground / "upper", lowers: lowers, options: options) {
                try body($0, names)
            }
        }
    }

    func toldAhead(_ union: Union) throws -> Int { try union.control.status()["told_ahead"] }

    /// Looks at each of the files. Returns for how many the server was asked.
    func goThrough(_ union: Union, _ names: [TestPath]) throws -> Int {
        let before = try union.control.status()
        for name in names { _ = try Sys.facts(union[name]) }
        return try union.control.status().requests(since: before)["LOOKUP", default: 0]
    }

    @Test(
        .enabled(if: sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1, "needs a second processor"),
        arguments: [1, 20])
    func savesLookups(layers: Int) throws {
        try withWide(layers: layers) { union, names throws in
            let asked = try goThrough(union, names)
            let told = try toldAhead(union)
            print("\(layers) lowers, \(names.count) files: \(asked) asked for, \(told) told ahead")
            #expect(asked + told >= names.count)
            #expect(told > 0)
        }
    }

    /// Each file is what it is, told ahead or not, and stays so.
    @Test(arguments: [1, 3]) func tellsTheTruth(layers: Int) throws {
        try withWide(layers: layers) { union, names throws in
            for (number, name) in names.enumerated() {
                let facts = try Sys.facts(union[name])
                #expect(facts.size == "\(number)".utf8.count && facts.kind == .file)
            }
            try Sys.changeMode(union.inLower(names[layers * 3]), 0o600)
            try Sys.unlink(union.inLower(names[layers * 5]))
            try Sys.put(union.inLower(names[layers * 7]), "longer than before")
            try Sys.put(union.inLower(TestPath("wide/new")), "new")
            try union.synchronize()
            #expect(try Sys.facts(union[names[layers * 3]]).permissions == 0o600)
            #expect(!Sys.exists(union[names[layers * 5]]))
            #expect(try Sys.facts(union[names[layers * 7]]).size == 18)
            #expect(try Sys.text(union["wide/new"]) == "new")
            #expect(try Sys.names(union["wide"]).count == names.count + 1)
        }
    }

    /// A file has its own watch where its directory's doesn't tell: it has another link elsewhere.
    @Test func aLinkElsewhere() throws {
        try withWide { union, names throws in
            try Sys.makeDirectories(union.inLower("other"))
            for name in names.prefix(300) { _ = try Sys.facts(union[name]) }
            for name in names.prefix(300) {
                try Sys.link(union.inLower(name), union.inLower("other") / name.name)
                try Sys.changeMode(union.inLower("other") / name.name, 0o611)
            }
            try union.synchronize()
            for name in names.prefix(300) {
                let facts = try Sys.facts(union[name])
                #expect(facts.links == 2 && facts.permissions == 0o611)
            }
        }
    }

    /// The server's own listings don't keep the union in use.
    @Test func unmountsAtOnce() throws {
        for _ in 0..<5 {
            try withWide { union, names throws in
                for name in names.prefix(50) { _ = try Sys.facts(union[name]) }
                #expect(throws: Never.self) { try Sys.unmount(union.mount) }
            }
        }
    }

    /// The server lists through its own mount. When it is killed meanwhile, all of it goes, and nobody hangs.
    @Test func isKilledWhileItTells() throws {
        for round in 0..<10 {
            try withWide(options: ["ahead=always"]) { union, _ throws in
                let walk = try Child(["find", union["wide"].text, "-ls"])
                try eventually("it tells") { try toldAhead(union) > round * 100 }
                union.crash()
                _ = try walk.wait(within: 30)
            }
        }
    }

    /// Nobody is told of what `check` layers hold.
    @Test func notWithoutWatches() throws {
        try withWide(options: ["coherence=check", "ahead=auto"]) { union, names throws in
            #expect(try goThrough(union, Array(names.prefix(100))) >= 100)
            #expect(try toldAhead(union) == 0)
        }
    }

    /// A mount that somebody has made on a file or directory stays, and what is below it isn't touched.
    @Test func mountsInside() throws {
        try withWide { union, names throws in
            try Sys.mount("none", on: union["wide/sub"], type: "tmpfs")
            defer { try? Sys.unmount(union["wide/sub"]) }
            try Sys.put(union["wide/sub/mine"], "mine")
            _ = try goThrough(union, names)
            #expect(try Sys.text(union["wide/sub/mine"]) == "mine")
        }
    }

    /// After a walk over very many files there is a watch for each directory, and none for files.
    @Test func watchesAfterALongWalk() throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (directories, files) = (100, 400)
            for directory in 0..<directories {
                try Sys.makeDirectories(ground / "lower/d\(directory)")
                for file in 0..<files { try Sys.touch(ground / "lower/d\(directory)/f\(file)") }
            }
            try Sys.makeDirectories(ground / "upper")
            let (upper, lower) = (ground / "upper", ground / "lower")
            try withUnion(in: scratch, upper: upper, lowers: [lower], options: ["ahead=auto"]) {
                union throws in
                for directory in 0..<directories {
                    for file in 0..<files { _ = try Sys.facts(union["d\(directory)/f\(file)"]) }
                }
                try eventually("no file has a watch") {
                    try union.control.status()["watches"] <= directories + 2
                }
                // What is asked for again does.
                try Sys.changeMode(ground / "lower/d0/f0", 0o600)
                try union.synchronize()
                _ = try Sys.facts(union["d0/f0"])
                #expect(try union.control.status()["watches"] <= directories + 3)
            }
        }
    }

    /// The second run of what only looks sends nothing.
    @Test func theSecondRun() throws {
        try withWide { union, names throws in
            _ = try goThrough(union, names)
            try union.synchronize()
            let before = try union.control.status()
            for name in names { _ = try Sys.facts(union[name]) }
            #expect(try union.control.status().requests(since: before) == [:])
        }
    }
}

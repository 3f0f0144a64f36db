import SwitchTestKit
import SystemPackage
import Testing

/// Who looks at each file that he lists is told of the files with their names, and whatever else he is told stays true.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ListedFilesTests {
    /// `count` directories of twenty files in the lower; in one of three the upper has a few as well.
    func withTree(_ count: Int, options: [String] = [], _ body: (Union, [TestPath]) throws -> Void) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            for path in [upper, lower] { try Sys.makeDirectories(path) }
            let directories = (0..<count).map { TestPath("d\($0)") }
            for (number, directory) in directories.enumerated() {
                try Sys.makeDirectories(lower / directory / "sub")
                for file in 0..<20 { try Sys.put(lower / directory / "f\(file)", "lower \(file)") }
                guard number % 3 == 1 else { continue }
                try Sys.makeDirectories(upper / directory)
                for file in 0..<5 { try Sys.put(upper / directory / "f\(file)", "in the upper \(file)") }
            }
            try withUnion(in: scratch, upper: upper, lowers: [lower], options: options) { union throws in
                try body(union, directories)
            }
        }
    }

    /// As `ls -l`: returns what `lstat` says of each.
    @discardableResult
    func look(_ union: Union, _ directory: TestPath) throws -> [FileFacts] {
        try Sys.names(union[directory]).map { try Sys.facts(union[directory / $0]) }
    }

    func requests(_ union: Union, _ body: () throws -> Void) throws -> [String: Int] {
        let before = try union.control.status()
        try body()
        return try union.control.status().requests(since: before)
    }

    @Test(arguments: [[], ["coherence=static"]])
    func looksSaveRoundTrips(options: [String]) throws {
        try withTree(12, options: options) { union, directories throws in
            let cost = try requests(union) {
                for directory in directories {
                    for facts in try look(union, directory) where facts.kind == .file {
                        #expect(facts.permissions == 0o644)
                    }
                }
            }
            // Every directory and its "sub", and the files of those that are looked at first and after four.
            #expect(cost["LOOKUP", default: 0] <= 12 * 2 + 3 * 20)
            #expect(cost["READDIRPLUS", default: 0] >= 12)
            try union.synchronize()
            let again = try requests(union) { for directory in directories { try look(union, directory) } }
            #expect(again == [:])
        }
    }

    @Test func whatIsToldStaysTrue() throws {
        try withTree(9) { union, directories throws in
            for directory in directories { try look(union, directory) }
            for directory in directories {
                try Sys.put(union.inLower(directory / "f10"), "longer than it was before")
                try Sys.changeMode(union.inLower(directory / "f11"), 0o600)
                try Sys.unlink(union.inLower(directory / "f12"))
                try Sys.rename(union.inLower(directory / "f13"), union.inLower(directory / "moved"))
                try Sys.makeDirectories(union.inUpper(directory))
                try Sys.put(union.inUpper(directory / "f14"), "now there is one in the upper too")
            }
            try union.synchronize()
            for directory in directories {
                let shown = try Snapshot(union[directory])
                #expect(try Sys.text(union[directory / "f10"]) == "longer than it was before")
                #expect(try Sys.facts(union[directory / "f11"]).permissions == 0o600)
                #expect(!Sys.exists(union[directory / "f12"]) && !Sys.exists(union[directory / "f13"]))
                #expect(try Sys.text(union[directory / "moved"]) == "lower 13")
                #expect(try Sys.text(union[directory / "f14"]) == "now there is one in the upper too")
                try Sys.overwrite("/proc/sys/vm/drop_caches", "2\n")
                #expect(try Snapshot(union[directory]).differences(from: shown) == [])
            }
        }
    }

    /// Whoever wants names alone is told nothing else, and nothing is watched for him but directories.
    @Test func namesAlone() throws {
        try withTree(40) { union, directories throws in
            for directory in directories.prefix(4) { try look(union, directory) }
            let before = try union.control.status()["watches"]
            for directory in directories.dropFirst(4) { _ = try Sys.names(union[directory]) }
            try union.synchronize()
            // A directory each, two where it is merged, and the files of a few until it shows that nobody looks.
            #expect(try union.control.status()["watches"] - before <= 36 + 12 + 6 * 25)
        }
    }

    @Test func removals() throws {
        try withTree(12) { union, directories throws in
            let cost = try requests(union) {
                for directory in directories {
                    for name in try Sys.names(union[directory]) where name != "sub" {
                        try Sys.unlink(union[directory / name])
                    }
                }
            }
            #expect(cost["UNLINK"] == 12 * 20)
            #expect(cost["LOOKUP", default: 0] <= 12 * 2 + 4 * 20)
            for directory in directories {
                #expect(try Sys.names(union[directory]) == ["sub"])
                #expect(try Sys.names(union.inLower(directory)) == ["sub"])
            }
            try Sys.overwrite("/proc/sys/vm/drop_caches", "2\n")
            try eventually("the files are forgotten") { try union.control.status()["nodes"] <= 24 }
        }
    }
}

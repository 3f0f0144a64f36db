import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What the kernel keeps costs nothing to look at again, and what the union does itself isn't dropped.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct WarmCostTests {
    static let count = 10_000

    /// A merged directory of `count` entries.
    func withWideUnion(_ body: (Union) throws -> Void) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            for path in [upper / "wide", lower / "wide"] { try Sys.makeDirectories(path) }
            for index in 0..<Self.count { try Sys.touch((index % 2 == 0 ? upper : lower) / "wide/f\(index)") }
            try withUnion(in: scratch, upper: upper, lowers: [lower], body)
        }
    }

    /// What `body` costs the second time.
    func warmRequests(_ union: Union, _ body: () throws -> Void) throws -> [String: Int] {
        try body()
        try union.synchronize()
        let before = try union.control.status()
        try body()
        return try union.control.status().requests(since: before)
    }

    @Test func cachedAttributesCostNothing() throws {
        try withWideUnion { union throws in
            let requests = try warmRequests(union) {
                for index in 0..<Self.count { _ = try Sys.facts(union["wide/f\(index)"]) }
            }
            #expect(requests == [:])
        }
    }

    @Test func failedLookupsCostNothing() throws {
        try withWideUnion { union throws in
            let requests = try warmRequests(union) {
                for index in 0..<Self.count where Sys.exists(union["wide/missing\(index)"]) {
                    throw FixtureError("missing\(index) is there")
                }
            }
            #expect(requests == [:])
        }
    }

    @Test func listingsCostNothing() throws {
        try withWideUnion { union throws in
            let requests = try warmRequests(union) {
                let names = try Sys.names(union["wide"])
                if names.count != Self.count { throw FixtureError("\(names.count) names") }
            }
            #expect(requests == [:])
        }
    }

    /// A file that is looked at after another's removal is next to be removed, or else kept from the second look on.
    @Test func emptyingADirectoryNeedsNoWatches() throws {
        try withUnion(lower: ["d": ["a": "1", "b": "2", "c": "3"]], options: ["coherence=watch"]) {
            union throws in
            _ = try Sys.facts(union["d"])
            let directories = try union.control.status()["watches"]
            try Sys.unlink(union["d/a"])
            try eventually("forgotten") { try union.control.status()["watches"] == directories }
            #expect(try Sys.facts(union["d/b"]).permissions == 0o644)
            #expect(try union.control.status()["watches"] == directories)
            try Sys.changeMode(union.inLower("d/b"), 0o600)
            try union.synchronize()
            #expect(try Sys.facts(union["d/b"]).permissions == 0o600)
            #expect(try union.control.status()["watches"] == directories + 1)
            let requests = try warmRequests(union) { _ = try Sys.facts(union["d/b"]) }
            #expect(requests == [:])
            // One file is let through for each removal.
            _ = try Sys.facts(union["d/c"])
            try union.synchronize()
            #expect(try union.control.status()["watches"] == directories + 2)
        }
    }

    /// Each change has its event; next to none of them makes the kernel drop anything.
    @Test(arguments: ["upper", "merged"])
    func ownChangesAreNoChangesFromOutside(place: String) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            let (upper, lower) = (ground / "upper", ground / "lower")
            try Sys.makeDirectories(upper / "d")
            try Sys.makeDirectories(place == "merged" ? lower / "d" : lower)
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                _ = try Sys.list(union["d"])
                try union.synchronize()
                let before = try union.control.status()
                for index in 0..<Self.count { try Sys.put(union["d/f\(index)"], "") }
                for index in 0..<Self.count { try Sys.unlink(union["d/f\(index)"]) }
                try union.synchronize()
                let after = try union.control.status()
                let sent = after["invalidations"] - before["invalidations"]
                print(
                    "\(place): \(2 * Self.count) changes, \(after["events"] - before["events"]) events, \(sent) dropped"
                )
                #expect(after["events"] - before["events"] >= Self.count)
                #expect(sent < Self.count / 10)
                #expect(try Sys.names(union["d"]) == [])
            }
        }
    }
}

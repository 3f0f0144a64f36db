import SwitchTestKit
import SystemPackage
import Testing

/// `ttl` and `static`, and what several modes make together: chapter 5 of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ModePromiseTests {
    /// An upper and a lower on a tmpfs, each with a directory `d` that holds a file and a symbolic link.
    private func withLayers(
        attributes: [String] = [], options: [String], _ body: (Union) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            for path in [ground / "upper/d", ground / "lower/d"] {
                try Sys.makeDirectories(path)
                try Sys.put(path / (path.parent.name + "-file"), "text")
                try Sys.makeSymlink(path / (path.parent.name + "-link"), to: "somewhere")
            }
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: [ground / "lower"], attributes: attributes,
                options: options, body)
        }
    }

    private let names: [TestPath] = ["d", "d/upper-file", "d/lower-file", "d/lower-link", "d/missing"]

    /// What each way to look costs the second time. Each by itself: reading a link or a directory moves its access
    /// time, which the next `stat` then asks for.
    private func warmRequests(_ union: Union, listing: Bool) throws -> [String: Int] {
        let looks: [() throws -> Void] = [
            { for name in self.names { _ = Sys.exists(union[name]) } },
            { _ = try Sys.readLink(union["d/lower-link"]) },
            { if listing { _ = try Sys.names(union["d"]) } },
        ]
        return try looks.reduce(into: [:]) { requests, look in
            try look()
            let before = try union.control.status()
            try look()
            requests.merge(try union.control.status().requests(since: before)) { $0 + $1 }
        }
    }

    private func modes(_ union: Union) throws -> [String] {
        let lines = try union.command("status", union.mount.text).orThrow().output.split(separator: "\n")
        return lines.filter { $0.contains("tmpfs, ") }.map { line in
            String(line.split(separator: ",").last ?? "")
        }
    }

    @Test func keptForAsLongAsTheTimeToLive() throws {
        try withLayers(options: ["coherence=ttl", "ttl=3600"]) { union throws in
            #expect(try modes(union) == [" ttl: asked for", " ttl: asked for"])
            #expect(try warmRequests(union, listing: false) == [:])
            #expect(try union.control.status()["watches"] == 0)
        }
    }

    /// A look that begins once the time is over shows the change.
    @Test func notOlderThanTheTimeToLive() throws {
        try withLayers(options: ["coherence=ttl", "ttl=1"]) { union throws in
            var changes: [(change: VisibilityTests.Change, scene: VisibilityTests.Scene, name: TestPath)] = []
            for layer in [union.inUpper("d"), union.inLower("d")] {
                for change in VisibilityTests.Change.allCases {
                    let scene = VisibilityTests.Scene(union: union["d"], layer: layer)
                    changes.append((change, scene, "f\(changes.count)"))
                }
            }
            for (change, scene, name) in changes { try scene.prepare(change, name) }
            let before = try changes.map { try $0.scene.look($0.change, $0.name) }
            for (change, scene, name) in changes { try scene.make(change, name) }
            // The kernel counts in ticks of up to ten milliseconds.
            let end = Deadline(1.02)
            var pending = Set(changes.indices)
            while !pending.isEmpty {
                let isOver = end.passed
                for index in pending {
                    let (change, scene, name) = changes[index]
                    if try scene.look(change, name) != before[index] { pending.remove(index) }
                }
                guard isOver else { continue }
                #expect(pending.map { "\(changes[$0].change) in \(changes[$0].scene.layer)" } == [])
                break
            }
        }
    }

    @Test func staticLayersAreKeptForGood() throws {
        try withLayers(options: ["coherence=static"]) { union throws in
            #expect(try modes(union) == [" static: asked for", " static: asked for"])
            #expect(try warmRequests(union, listing: true) == [:])
            #expect(try union.control.status()["watches"] == 0)
            // What the union does itself shows at once all the same.
            for round in 0..<3 {
                try Sys.put(union["d/missing"], "\(round)")
                #expect(try Sys.text(union["d/missing"]) == "\(round)")
                #expect(try Sys.facts(union["d/missing"]).size == 1)
                #expect(try Sys.names(union["d"]).contains("missing"))
                try Sys.put(union["d/lower-file"], "round \(round)")
                #expect(try Sys.facts(union["d/lower-file"]).size == 7)
                try Sys.rename(union["d/missing"], union["d/renamed"])
                try Sys.unlink(union["d/renamed"])
                #expect(!Sys.exists(union["d/missing"]) && !Sys.exists(union["d/renamed"]))
                #expect(try !Sys.names(union["d"]).contains("renamed"))
            }
        }
    }

    /// The user's word is about one layer: the other is watched.
    @Test func aStaticLowerBelowAWatchedUpper() throws {
        try withLayers(attributes: ["static"], options: []) { union throws in
            #expect(
                try modes(union) == [" watch: inotify reports every change on tmpfs", " static: asked for"])
            #expect(try warmRequests(union, listing: true) == [:])
            try Sys.put(union.inUpper("d/missing"), "new")
            try Sys.unlink(union.inUpper("d/upper-file"))
            try union.synchronize()
            #expect(try Sys.text(union["d/missing"]) == "new")
            #expect(!Sys.exists(union["d/upper-file"]))
            #expect(try Sys.names(union["d"]) == ["lower-file", "lower-link", "missing", "upper-link"])
        }
    }

    /// With one `check` layer nothing is kept of any.
    @Test(arguments: ["check", "ttl"])
    func theLeastOfTheModesHolds(least: String) throws {
        try withLayers(attributes: [least], options: ["coherence=watch", "ttl=3600"]) { union throws in
            #expect(try modes(union) == [" watch: asked for", " \(least): asked for"])
            #expect(try warmRequests(union, listing: false).isEmpty == (least == "ttl"))
            guard least == "check" else { return }
            for layer in [union.inUpper("d"), union.inLower("d")] {
                for round in 0..<3 {
                    try Sys.put(layer / "missing", String(repeating: "x", count: round))
                    #expect(try Sys.facts(union["d/missing"]).size == UInt64(round))
                    #expect(try Sys.names(union["d"]).contains("missing"))
                    try Sys.unlink(layer / "missing")
                    #expect(!Sys.exists(union["d/missing"]))
                    #expect(try !Sys.names(union["d"]).contains("missing"))
                }
            }
        }
    }
}

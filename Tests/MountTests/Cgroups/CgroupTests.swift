import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A live cgroup tree as the lower, v2 and v1: what the project is for.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct CgroupTests {
    enum Version: String, CaseIterable, Sendable {
        case v1, v2

        var hierarchy: TestPath? { self == .v1 ? Machine.cgroup1 : Machine.cgroup2 }
    }

    static let versions = Version.allCases.filter { $0.hierarchy != nil }

    /// A union over a new cgroup with `A/B` in it. `name`: suites run beside each other.
    func withCgroupUnion(
        _ version: Version, name: String = "union", options: [String] = [],
        _ body: (Union, Cgroup) throws -> Void
    ) throws {
        try withCgroup(in: version.hierarchy, "\(name)-\(version)") { group throws in
            _ = try group.make("A/B")
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path], options: options) {
                    try body($0, group)
                }
            }
        }
    }

    @Test(arguments: versions)
    func filesCanBeMadeAnywhere(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            #expect(failure { try Sys.put(group.path / "A/B/file", "") } != nil)
            try run("touch", union["A/B/file"].text).orThrow()
            try Sys.put(union["A/notes"], "text")
            #expect(Sys.exists(union.inUpper("A/B/file")))
            #expect(!Sys.exists(group.path / "A/B/file"))
            let names = try Sys.names(union["A/B"])
            #expect(names.contains("file") && names.contains("cgroup.procs"))
            #expect(Set(names) == Set(try Sys.names(group.path / "A/B")).union(["file"]))
            let found = try run("find", union.mount.text, "-name", "file").output
            #expect(found == "\(union["A/B/file"])\n")
            try Sys.unlink(union["A/B/file"])
            #expect(try Sys.names(union["A/B"]) == Sys.names(group.path / "A/B"))
        }
    }

    @Test(arguments: versions)
    func writingProcsMovesAProcess(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let sleeper = try group.sleeper()
            try Sys.open(union["A/B/cgroup.procs"], O_WRONLY).write("\(sleeper.pid)\n")
            #expect(try Cgroup.processes(group.path / "A/B") == [sleeper.pid])
            #expect(try Cgroup.processes(union["A/B"]) == [sleeper.pid])
            #expect(try Sys.text("/proc/\(sleeper.pid)/cgroup").contains("\(group.path.name)/A/B"))
            try shell("echo \(sleeper.pid) > \(union["A/cgroup.procs"])").orThrow()
            #expect(try Cgroup.processes(union["A"]) == [sleeper.pid])
            #expect(try Cgroup.processes(union["A/B"]) == [])
            #expect(try Sys.names(union.inUpper("")) == [])
            #expect(failure { try Sys.overwrite(union["A/cgroup.procs"], "999999999\n") } == .noSuchProcess)
        }
    }

    /// Control files have size 0 and new content at each look.
    @Test(arguments: versions)
    func controlFilesReadRight(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            for entry in try Sys.list(group.path / "A") where entry.kind == .file {
                let direct = Result { try Sys.text(group.path / "A" / entry.name) }
                let through = Result { try Sys.text(union["A"] / entry.name) }
                switch (direct, through) {
                case (.success(let one), .success(let two)):
                    let counts = entry.name.text.contains("stat") || entry.name.text.contains("pressure")
                    if !counts { #expect(one == two, "\(entry.name)") }
                    #expect(one.isEmpty == two.isEmpty, "\(entry.name)")
                case (.failure(let one), .failure(let two)):
                    #expect(one as? Errno == two as? Errno, "\(entry.name)")
                default:
                    Issue.record("\(entry.name): \(direct), through the union \(through)")
                }
                let (real, shown) = (
                    try Sys.facts(group.path / "A" / entry.name), try Sys.facts(union["A"] / entry.name)
                )
                #expect(real.mode == shown.mode && real.uid == shown.uid && real.size == shown.size)
            }
        }
    }

    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a writable cgroup v2"))
    func eventsAreReadEachTimeTheyChange() throws {
        try withCgroupUnion(.v2) { union, group throws in
            let path = union["A/cgroup.events"]
            let kept = try Sys.open(path)
            for _ in 0..<5 {
                let sleeper = try group.sleeper()
                try Sys.overwrite(union["A/B/cgroup.procs"], "\(sleeper.pid)\n")
                try eventually("populated 1") { try Sys.text(path).contains("populated 1") }
                try eventually("populated 1 by the open file") {
                    try String(decoding: kept.read(4096, at: 0), as: UTF8.self).contains("populated 1")
                }
                sleeper.end()
                try eventually("populated 0") { try Sys.text(path).contains("populated 0") }
                try eventually("populated 0 by the open file") {
                    try String(decoding: kept.read(4096, at: 0), as: UTF8.self).contains("populated 0")
                }
            }
        }
    }

    /// `poll` and `epoll` wake for each change, and are quiet in between.
    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a writable cgroup v2"), arguments: [true, false])
    func pollWakes(edge: Bool) throws {
        try withCgroupUnion(.v2) { union, group throws in
            let file = try Sys.open(union["A/cgroup.events"])
            let edgeTriggered: UInt32 = 1 << 31
            let watch = try EventPoll(file, events: 2 | (edge ? edgeTriggered : 0))
            _ = try file.read(4096, at: 0)
            while try watch.wait(milliseconds: 0) != nil { _ = try file.read(4096, at: 0) }
            #expect(try watch.wait(milliseconds: 100) == nil, "woke without a change")
            for round in 0..<4 {
                let sleeper = try group.sleeper()
                try Sys.overwrite(group.path / "A/B/cgroup.procs", "\(sleeper.pid)\n")
                let first = try watch.wait(milliseconds: 5000)
                #expect((first ?? 0) & 2 != 0, "round \(round), populated")
                let full = try file.read(4096, at: 0)
                #expect(String(decoding: full, as: UTF8.self).contains("populated 1"))
                sleeper.end()
                let second = try watch.wait(milliseconds: 5000)
                #expect((second ?? 0) & 2 != 0, "round \(round), empty")
                let empty = try file.read(4096, at: 0)
                #expect(String(decoding: empty, as: UTF8.self).contains("populated 0"))
                #expect(try watch.wait(milliseconds: 20) == nil, "round \(round): the read did not clear it")
            }
        }
    }

    @Test(arguments: versions)
    func mkdirMakesAnUpperDirectoryByDefault(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            try Sys.makeDirectory(union["A/C"])
            #expect(Sys.exists(union.inUpper("A/C")) && !Sys.exists(group.path / "A/C"))
            #expect(try Sys.names(union["A/C"]) == [])
            try Sys.put(union["A/C/f"], "x")
            #expect(failure { try Sys.removeDirectory(union["A/C"]) } == .directoryNotEmpty)
            try Sys.unlink(union["A/C/f"])
            try Sys.removeDirectory(union["A/C"])
            #expect(!Sys.exists(union["A/C"]))
        }
    }

    @Test(arguments: versions)
    func mkdirLowerMakesACgroup(version: Version) throws {
        try withCgroupUnion(version, options: ["mkdir=lower"]) { union, group throws in
            try Sys.makeDirectory(union["A/C"])
            #expect(Sys.exists(group.path / "A/C/cgroup.procs") && !Sys.exists(union.inUpper("A/C")))
            #expect(try Sys.names(union["A/C"]).contains("cgroup.procs"))
            let sleeper = try group.sleeper()
            try Sys.overwrite(union["A/C/cgroup.procs"], "\(sleeper.pid)\n")
            #expect(failure { try Sys.removeDirectory(union["A/C"]) } == .resourceBusy)
            sleeper.end()
            try eventually("rmdir of the empty group") {
                failure { try Sys.removeDirectory(union["A/C"]) } == nil
            }
            #expect(!Sys.exists(group.path / "A/C") && !Sys.exists(union["A/C"]))
        }
    }

    /// Groups list control files and can be removed all the same; upper entries hold them.
    @Test(arguments: versions)
    func rmdirOfACgroup(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            try Sys.put(union["A/B/note"], "x")
            #expect(failure { try Sys.removeDirectory(union["A/B"]) } == .directoryNotEmpty)
            #expect(Sys.exists(group.path / "A/B"), "removed from the lower and then refused")
            #expect(failure { try Sys.removeDirectory(union["A"]) } != nil)
            try Sys.unlink(union["A/B/note"])
            try Sys.removeDirectory(union["A/B"])
            #expect(!Sys.exists(group.path / "A/B") && !Sys.exists(union["A/B"]))
            try Sys.removeDirectory(union["A"])
            #expect(!Sys.exists(group.path / "A"))
        }
    }

    @Test(arguments: versions)
    func controlFilesCannotBeRemoved(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let direct = failure { try Sys.unlink(group.path / "A/cgroup.procs") }
            #expect(failure { try Sys.unlink(union["A/cgroup.procs"]) } == direct)
            #expect(Sys.exists(union["A/cgroup.procs"]))
            #expect(try Sys.names(union.inUpper("")) == [])
        }
    }

    /// Listing ends, lookups say ENOENT: never EIO, never a hang.
    @Test(arguments: versions)
    func removedUnderAnOpenHandle(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let listing = try ListingReader(union["A/B"], bufferSize: 128)
            _ = try listing.next()
            let directory = try Sys.open(union["A/B"], Flag.path | Flag.directory)
            let file = try Sys.open(union["A/B/cgroup.procs"])
            try Sys.removeDirectory(group.path / "A/B")
            try union.synchronize()
            #expect(failure { _ = try listing.rest() } == nil)
            try listing.seek(to: 0)
            #expect(try Set(listing.rest().map(\.name)).isSubset(of: [".", ".."]))
            let inside = TestPath("/proc/self/fd/\(directory.descriptor)/cgroup.procs")
            #expect(failure { _ = try Sys.facts(inside) } == .noSuchFileOrDirectory)
            #expect(failure { _ = try Sys.facts(union["A/B"]) } == .noSuchFileOrDirectory)
            #expect(failure { _ = try file.read(10, at: 0) } == Errno(rawValue: ENODEV))
            #expect(failure { try file.changeMode(0o600) } == nil)
            #expect(try !Sys.names(union["A"]).contains("B"))
        }
    }

    /// At once with `check`; with `watch` at the latest after `sync`.
    @Test(arguments: versions, ["check", "watch"])
    func groupsComeAndGo(version: Version, mode: String) throws {
        try withCgroupUnion(version, options: ["coherence=\(mode)"]) { union, group throws in
            let isWatched = mode == "watch"
            for round in 0..<20 {
                let name = TestPath("A/G\(round)")
                #expect(!Sys.exists(union[name]))
                try Sys.makeDirectory(group.path / name)
                if isWatched { try union.synchronize() }
                #expect(Sys.exists(union[name] / "cgroup.procs"))
                try Sys.put(union[name] / "note", "\(round)")
                #expect(try Sys.names(union["A"]).contains(name.name))
                try Sys.removeDirectory(group.path / name)
                if isWatched { try union.synchronize() }
                #expect(try Sys.names(union[name]) == ["note"])
                try Sys.unlink(union[name] / "note")
                #expect(!Sys.exists(union[name]))
            }
        }
    }

    /// A file acts by who writes it: an ordinary user may do through the union what it may directly.
    @Test(arguments: versions)
    func writersRightsCount(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let path: TestPath = "A/B/cgroup.procs"
            try Sys.changeMode(group.path / path, 0o666)
            let sleeper = try group.sleeper()
            let direct = failure {
                try acting(as: .alice) { try Sys.overwrite(group.path / path, "\(sleeper.pid)\n") }
            }
            let through = failure {
                try acting(as: .alice) { try Sys.overwrite(union[path], "\(sleeper.pid)\n") }
            }
            #expect(direct == through)
            #expect(through != nil, "an ordinary user moved root's process")
        }
    }

    /// Files that act by each write get each write, with its own error.
    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a writable cgroup v2"))
    func writesActAndAnswer() throws {
        try withCgroupUnion(.v2) { union, group throws in
            try Sys.overwrite(union["A/cgroup.max.depth"], "7\n")
            #expect(try Sys.text(group.path / "A/cgroup.max.depth") == "7\n")
            #expect(
                failure { try Sys.overwrite(union["A/cgroup.max.depth"], "nonsense\n") } == .invalidArgument)
            let direct = failure { try Sys.overwrite(group.path / "A/cgroup.subtree_control", "+none\n") }
            #expect(failure { try Sys.overwrite(union["A/cgroup.subtree_control"], "+none\n") } == direct)
            try Sys.put(union["A/cgroup.max.depth"], "9\n")
            #expect(try Sys.text(union["A/cgroup.max.depth"]) == "9\n")
            try shell("echo 1 > \(union["A/B/cgroup.freeze"])").orThrow()
            try eventually("frozen") { try Sys.text(union["A/B/cgroup.events"]).contains("frozen 1") }
        }
    }
}

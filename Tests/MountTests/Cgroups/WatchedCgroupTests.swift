import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Cgroups by watch, as `auto` chooses for them.
extension CgroupTests {
    /// Names, missing names, attributes and listings are kept.
    @Test(arguments: versions)
    func looksAgainCostNoRequest(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            func look() throws {
                for place in ["", "A", "A/B"] as [TestPath] {
                    _ = try Sys.facts(union[place] / "cgroup.procs")
                    #expect(!Sys.exists(union[place] / "none"))
                    #expect(try Sys.names(union[place]).contains("cgroup.procs"))
                }
            }
            // Another test's mount may have everything looked at anew: then once more.
            try eventually("they cost nothing") {
                try look()
                let before = try union.control.status()
                try look()
                return try union.control.status().requests(since: before).isEmpty
            }
        }
    }

    /// Mode and owner of a group and of a control file, which has no watch of its own.
    @Test(arguments: versions)
    func attributesFollow(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            for path in ["A", "A/B", "A/cgroup.procs", "A/B/cgroup.procs"] as [TestPath] {
                for mode in [0o640, 0o600, 0o644] as [UInt32] {
                    _ = try Sys.facts(union[path])
                    try Sys.changeMode(group.path / path, mode)
                    try union.synchronize()
                    #expect(try Sys.facts(union[path]).mode & 0o7777 == mode, "\(path)")
                    try Sys.changeOwner(group.path / path, uid: mode, gid: 3)
                    try union.synchronize()
                    #expect(try Sys.facts(union[path]).uid == mode, "\(path)")
                }
            }
        }
    }

    /// One of the same name is another group, with other files.
    @Test(arguments: versions)
    func aGroupIsMadeAgain(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            for _ in 0..<10 {
                let before = try Sys.facts(union["A/B/cgroup.procs"])
                try Sys.removeDirectory(group.path / "A/B")
                try Sys.makeDirectory(group.path / "A/B")
                try union.synchronize()
                #expect(try Sys.facts(union["A/B/cgroup.procs"]).inode != before.inode)
                #expect(try Sys.text(union["A/B/cgroup.procs"]).isEmpty)
            }
        }
    }

    /// A threaded group loses the files of controllers that aren't for threads, and some of its own.
    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a cgroup v2 tree"))
    func aGroupBecomesThreaded() throws {
        try withCgroupUnion(.v2) { union, group throws in
            for root in [group.path, union.mount] {
                let name = TestPath(root == union.mount ? "A/through" : "A/below")
                try Sys.makeDirectory(group.path / name)
                try Sys.makeDirectory(group.path / name / "inner")
                try union.synchronize()
                for place in [name, name / "inner"] { _ = try Sys.names(union[place]) }
                try Sys.overwrite(root / name / "cgroup.type", "threaded\n")
                if root != union.mount { try union.synchronize() }
                for place in [name, name / "inner"] {
                    #expect(try Sys.names(union[place]) == Sys.names(group.path / place))
                }
            }
        }
    }

    /// A shell's `>` sets the times of a control file.
    @Test(arguments: versions)
    func timesFollow(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let file: TestPath = version == .v1 ? "A/notify_on_release" : "A/cgroup.max.depth"
            let other: TestPath = version == .v1 ? "A/cgroup.clone_children" : "A/cgroup.pressure"
            for path in [file, other] {
                for _ in 0..<3 {
                    let before = try Sys.facts(union[path])
                    // The clock of files goes on by ticks of some milliseconds.
                    try eventually("the times move on") {
                        _ = try run("sh", "-c", "echo 1 >\(group.path / path)")
                        return try Sys.facts(group.path / path).modified != before.modified
                    }
                    try union.synchronize()
                    #expect(try Sys.facts(union[path]).modified == Sys.facts(group.path / path).modified)
                }
            }
        }
    }

    /// Writes to files that nobody looks at through the union.
    @Test(arguments: versions)
    func writesCostTheUnionNothing(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let file: TestPath = version == .v1 ? "A/notify_on_release" : "A/cgroup.max.depth"
            // Another test may have the kernel forget what it knows, and the server its watches: then once more.
            try eventually("there are events, and nothing is told to the kernel") {
                _ = try Sys.facts(union["A/cgroup.procs"])
                try union.synchronize()
                let before = try union.control.status()
                for value in 0..<1000 { try Sys.overwrite(group.path / file, "\(value % 2)\n") }
                try union.synchronize()
                let after = try union.control.status()
                return after["events"] > before["events"]
                    && after["invalidations"] == before["invalidations"]
            }
        }
    }

    /// What files the layer's root has is decided in the cgroup that it is in, which isn't in the layer.
    @Test(.enabled(if: controller != nil, "needs a cgroup v2 controller"))
    func theRootsControllers() throws {
        try withController { controller throws in
            try withCgroup(in: Machine.cgroup2, "root") { group throws in
                let root = try group.make("A")
                try withScratch { scratch throws in
                    let upper = try scratch.directory("upper")
                    try withUnion(in: scratch, upper: upper, lowers: [root]) { union throws in
                        for isOn in [true, false, true] {
                            let before = try Sys.names(union.mount)
                            for name in before { _ = try Sys.facts(union[name]) }
                            #expect(!Sys.exists(union["none"]))
                            try Sys.overwrite(
                                group.path / "cgroup.subtree_control", "\(isOn ? "+" : "-")\(controller)\n")
                            try union.synchronize()
                            #expect(try Sys.names(union.mount) == Sys.names(root))
                            #expect(try Sys.names(union.mount) != before)
                            for name in try Sys.names(root) { #expect(Sys.exists(union[name])) }
                        }
                    }
                }
            }
        }
    }

    /// A write shows at once to its writer, and waits for that; a client that would remove the written file holds
    /// the directory's lock, and waits for the writer. Nobody waits for ever.
    @Test(
        .enabled(if: hasPressure, "needs cgroup v2 with pressure stall information"), .timeLimit(.minutes(2)))
    func aWriterAndARemover() throws {
        try withCgroupUnion(.v2) { union, group throws in
            let (place, end) = (union["A"], Deadline(5))
            let file = place / "cgroup.pressure"
            try together([
                { while !end.passed { for value in 0..<2 { try Sys.overwrite(file, "\(value)\n") } } },
                { while !end.passed { _ = failure { try Sys.unlink(file) } } },
                { while !end.passed { for name in try Sys.names(place) { _ = Sys.exists(place / name) } } },
            ])
            try union.synchronize()
            #expect(try Sys.names(place) == Sys.names(group.path / "A"))
        }
    }
}

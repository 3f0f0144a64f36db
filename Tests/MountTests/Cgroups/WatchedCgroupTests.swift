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

    /// Writes that change no name and no attribute, from the layer: they drop nothing.
    @Test(arguments: versions)
    func writesCostTheUnionNothing(version: Version) throws {
        try withCgroupUnion(version) { union, group throws in
            let file = version == .v1 ? "notify_on_release" : "cgroup.max.depth"
            _ = try Sys.facts(union["A"] / TestPath(file))
            try union.synchronize()
            let before = try union.control.status()
            for value in 0..<1000 { try Sys.overwrite(group.path / "A" / TestPath(file), "\(value % 2)\n") }
            try union.synchronize()
            let after = try union.control.status()
            #expect(after["events"] == before["events"])
            #expect(after["overflows"] == 0)
        }
    }
}

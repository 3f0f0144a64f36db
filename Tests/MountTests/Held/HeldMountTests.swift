import SwitchTestKit
import SystemPackage
import Testing

/// Users' mounts in the union stay, in every mount namespace: rule 2.8 of the contract.
@Suite(
    .serialized,
    .enabled(if: Machine.canMount && Machine.hasProgram("nsenter"), "needs root, /dev/fuse and nsenter"))
struct HeldMountTests {
    @Test(arguments: HeldChange.throughTheUnion, HeldScene.Mode.allCases)
    func throughTheUnion(change: HeldChange, mode: HeldScene.Mode) throws { try change.happens(mode) }

    @Test(arguments: HeldChange.inTheLayers, HeldScene.Mode.allCases)
    func inTheLayers(change: HeldChange, mode: HeldScene.Mode) throws { try change.happens(mode) }

    @Test(arguments: HeldChange.aroundTheUnion, HeldScene.Mode.allCases)
    func aroundTheUnion(change: HeldChange, mode: HeldScene.Mode) throws { try change.happens(mode) }

    /// A union over a live cgroup tree, as it is by default.
    @Test(arguments: CgroupTests.versions)
    func cgroupsComeAndGo(version: CgroupTests.Version) throws {
        try withCgroup(in: version.hierarchy, "held-\(version)") { group throws in
            for name in ["kept/inner", "others", "sibling"] as [TestPath] { _ = try group.make(name) }
            try withScratch { scratch throws in
                let upper = try scratch.tmpfs("upper-ground") / "upper"
                try Sys.makeDirectory(upper)
                try withUnion(in: scratch, upper: upper, lowers: [group.path]) { union throws in
                    let held = try HeldMounts(in: union, scratch)
                    defer { held.close() }
                    try held.tmpfs(on: "kept/inner")
                    try held.bind(on: "kept/cgroup.procs")
                    try held.tmpfs(on: "others", others: true)
                    func demand(_ what: String) throws {
                        _ = try Sys.list(union["kept"])
                        try union.synchronize()
                        if let first = held.complaints().first {
                            throw FixtureError("after \(what): \(first)")
                        }
                    }
                    try demand("nothing")
                    for round in 0..<20 {
                        for name in ["new", "kept/new", "kept/inner/new"] as [TestPath] {
                            try Sys.makeDirectory(group.path / name)
                            try demand("mkdir \(name), round \(round)")
                        }
                        for name in ["kept/inner/new", "kept/new", "new"] as [TestPath] {
                            try Sys.removeDirectory(group.path / name)
                            try demand("rmdir \(name), round \(round)")
                        }
                        try Sys.put(union["kept/note-\(round)"], "note")
                        try demand("creating kept/note-\(round)")
                        if round == 10 {
                            try Sys.removeDirectory(group.path / "sibling")
                            try demand("rmdir sibling")
                        }
                    }
                }
            }
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Where new objects go, and whose they are.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct CreateTests {
    /// Each way of making an object, for a name in a directory.
    static let makers: [(name: String, make: @Sendable (TestPath) throws -> Void)] = [
        ("open", { try Sys.put($0, "x") }),
        ("mknod", { try Sys.makeNode($0, mode: S_IFREG | 0o644) }),
        ("fifo", { try Sys.makeFifo($0) }),
        ("symlink", { try Sys.makeSymlink($0, to: "target") }),
        ("mkdir", { try Sys.makeDirectory($0) }),
        ("tmpfile", { try Sys.open($0.parent, O_RDWR | Flag.temporary).link(to: $0) }),
    ]

    @Test(arguments: makers.map(\.name), ["", "merged/", "lower/", "lower/deep/er/"])
    func createdInTheUpper(maker: String, parent: String) throws {
        let make = try #require(Self.makers.first { $0.name == maker }?.make)
        try withUnion(
            lower: ["merged": ["l": ""], "lower/deep/er": ["l": ""]], upper: ["merged": ["u": ""]]
        ) { union throws in
            let name = TestPath(parent + "new")
            try make(union[name])
            #expect(Sys.exists(union[name]))
            #expect(Sys.exists(union.inUpper(name)))
            #expect(!Sys.exists(union.inLower(name)))
            #expect(failure { _ = try Sys.open(union[name], O_CREAT | O_EXCL) } == .fileExists)
        }
    }

    @Test(arguments: makers.map(\.name))
    func createLowerAndMkdirLower(maker: String) throws {
        let make = try #require(Self.makers.first { $0.name == maker }?.make)
        try withUnion(lower: ["d": [:]], options: ["create=lower", "mkdir=lower"]) { union throws in
            for name in ["d/new", "new"] as [TestPath] {
                try make(union[name])
                #expect(Sys.exists(union.inLower(name)))
                #expect(!Sys.exists(union.inUpper(name)))
            }
        }
    }

    @Test func createAndMkdirAreSeparate() throws {
        try withUnion(lower: ["d": [:]], options: ["mkdir=lower"]) { union throws in
            try Sys.makeDirectory(union["d/s"])
            try Sys.put(union["d/f"], "x")
            #expect(Sys.exists(union.inLower("d/s")) && !Sys.exists(union.inUpper("d/s")))
            #expect(Sys.exists(union.inUpper("d/f")) && !Sys.exists(union.inLower("d/f")))
        }
    }

    /// Where no lower backs the directory, `lower` means the upper.
    @Test func createLowerInAnUpperOnlyDirectoryMakesNoLowerParents() throws {
        try withUnion(lower: [:], upper: ["u": [:]], options: ["create=lower"]) { union throws in
            try Sys.put(union["u/f"], "x")
            #expect(!Sys.exists(union.inLower("u")))
            #expect(Sys.exists(union.inUpper("u/f")))
        }
    }

    @Test func fallbackTakesTheLowerFirst() throws {
        try withUnion(lower: ["d": [:]], options: ["create=fallback", "mkdir=fallback"]) { union throws in
            try Sys.put(union["d/f"], "x")
            try Sys.makeDirectory(union["d/s"])
            #expect(Sys.exists(union.inLower("d/f")) && Sys.exists(union.inLower("d/s")))
        }
    }

    @Test func fallbackTakesTheUpperWhenTheLowerRefuses() throws {
        try withUnion(
            lower: ["d": [:]], attributes: ["ro"], options: ["create=fallback", "mkdir=fallback"]
        ) { union throws in
            try Sys.put(union["d/f"], "x")
            try Sys.makeDirectory(union["d/s"])
            #expect(Sys.exists(union.inUpper("d/f")) && Sys.exists(union.inUpper("d/s")))
        }
    }

    @Test func temporaryFileWithoutName() throws {
        try withUnion(lower: ["d": ["l": "x"]]) { union throws in
            let file = try Sys.open(union["d"], O_RDWR | Flag.temporary, mode: 0o640)
            try file.write("content")
            #expect(try file.facts().links == 0)
            #expect(try file.facts().permissions == 0o640)
            #expect(try Sys.names(union["d"]) == ["l"])
            try file.link(to: union["d/named"])
            #expect(try Sys.text(union["d/named"]) == "content")
            #expect(try Sys.facts(union["d/named"]).inode == file.facts().inode)
            #expect(Sys.exists(union.inUpper("d/named")))
            let exclusive = try Sys.open(union["d"], O_RDWR | Flag.temporary | O_EXCL)
            #expect(failure { try exclusive.link(to: union["d/never"]) } == .noSuchFileOrDirectory)
        }
    }

    @Test func newObjectsBelongToTheCaller() throws {
        try withUnion(lower: ["d": .directory([:], mode: 0o777)]) { union throws in
            for (name, make) in Self.makers {
                let path = union["d"] / TestPath(name)
                try acting(as: .alice) { try make(path) }
                let facts = try Sys.facts(path)
                #expect(facts.uid == 54321 && facts.gid == 54321, "\(name)")
            }
        }
    }

    @Test(arguments: [0o000, 0o022, 0o027, 0o077, 0o777] as [UInt32])
    func umaskHolds(mask: UInt32) throws {
        try withUnion(lower: ["d": .directory([:], mode: 0o777)]) { union throws in
            try acting(as: .alice, umask: mask) {
                _ = try Sys.open(union["d/f"], O_CREAT | O_WRONLY, mode: 0o666)
                try Sys.makeDirectory(union["d/s"], mode: 0o777)
                try Sys.makeFifo(union["d/p"], mode: 0o666)
            }
            #expect(try Sys.facts(union["d/f"]).permissions == 0o666 & ~mask)
            #expect(try Sys.facts(union["d/s"]).permissions == 0o777 & ~mask)
            #expect(try Sys.facts(union["d/p"]).permissions == 0o666 & ~mask)
        }
    }

    /// The group and the bit come from the directory, also where its skeleton is still to be made.
    @Test(arguments: [false, true])
    func setgidDirectory(inLower: Bool) throws {
        let tree: Tree = ["d": .directory([:], mode: 0o2777).owned(by: 0, 4242)]
        try withUnion(lower: inLower ? tree : [:], upper: inLower ? [:] : tree) { union throws in
            for (name, make) in Self.makers {
                let path = union["d"] / TestPath(name)
                try acting(as: .alice) { try make(path) }
                let facts = try Sys.facts(path)
                #expect(facts.gid == 4242, "\(name)")
                #expect((facts.permissions & 0o2000 != 0) == (facts.kind == .directory), "\(name)")
            }
            #expect(try Sys.facts(union["d"]).permissions == 0o2777)
        }
    }

    @Test(arguments: [false, true])
    func defaultACLIsInherited(inLower: Bool) throws {
        let acl = PosixACL([
            (.owner, 7), (.user(54322), 6), (.group, 5), (.mask, 7), (.other, 0),
        ])
        let tree: Tree = ["d": .directory([:], mode: 0o777)]
        try withScratch { scratch throws in
            let native = try scratch.tree("native", tree)
            try Sys.setXattr(native / "d", PosixACL.default, bytes: acl.bytes)
            try withUnion(lower: inLower ? tree : [:], upper: inLower ? [:] : tree) { union throws in
                let real = inLower ? union.inLower("d") : union.inUpper("d")
                try Sys.setXattr(real, PosixACL.default, bytes: acl.bytes)
                for root in [native, union.mount] {
                    try acting(as: .alice, umask: 0o077) {
                        _ = try Sys.open(root / "d/f", O_CREAT | O_WRONLY, mode: 0o666)
                        try Sys.makeDirectory(root / "d/s", mode: 0o777)
                    }
                }
                for name in ["d/f", "d/s"] as [TestPath] {
                    #expect(
                        try Sys.facts(union[name]).permissions == Sys.facts(native / name).permissions)
                    #expect(
                        try Sys.xattr(union[name], PosixACL.access)
                            == Sys.xattr(native / name, PosixACL.access))
                }
                #expect(try Sys.xattr(union["d/s"], PosixACL.default) == acl.bytes)
                #expect(try acting(as: .bob) { try Sys.open(union["d/f"]).read() } == [])
                #expect(
                    failure {
                        try acting(as: .nobody) { _ = try Sys.open(union["d/f"]) }
                    } == .permissionDenied)
            }
        }
    }

    /// A mask above the group's own class, and callers without the right: as on a local directory.
    @Test func supplementaryGroupsCount() throws {
        try withUnion(
            lower: [
                "d": .directory(["f": TreeNode.file("x", mode: 0o660).owned(by: 0, 54400)], mode: 0o770)
                    .owned(by: 0, 54401)
            ]
        ) { union throws in
            try acting(as: .alice) {
                try Sys.overwrite(union["d/f"], "y")
                try Sys.put(union["d/new"], "n")
            }
            #expect(failure { try acting(as: .bob) { try Sys.put(union["d/no"], "") } } == .permissionDenied)
            #expect(
                failure {
                    try acting(as: .bob) { _ = try Sys.open(union["d/f"]) }
                } == .permissionDenied)
            #expect(try run("cat", union["d/f"].text, as: .alice).output == "y")
            #expect(try !run("cat", union["d/f"].text, as: .bob).succeeded)
        }
    }
}

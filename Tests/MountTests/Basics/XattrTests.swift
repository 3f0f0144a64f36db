import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Extended attributes, ACLs, statfs.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct XattrTests {
    @Test(arguments: [true, false])
    func setGetListRemove(inLower: Bool) throws {
        let tree: Tree = ["f": "x", "d": [:], "s": .symlink("f")]
        try withUnion(lower: inLower ? tree : [:], upper: inLower ? [:] : tree) { union throws in
            for name in ["f", "d"] as [TestPath] {
                let path = union[name]
                try Sys.setXattr(path, "user.one", "1")
                try Sys.setXattr(path, "user.two", "")
                try Sys.setXattr(path, "trusted.three", "3")
                let mine = try Sys.xattrs(path).filter { !$0.hasPrefix("security.") }
                #expect(mine == ["trusted.three", "user.one", "user.two"])
                #expect(try Sys.xattrText(path, "user.one") == "1")
                #expect(try Sys.xattr(path, "user.two") == [])
                #expect(
                    failure { try Sys.setXattr(path, "user.one", "x", flags: Flag.xattrCreate) }
                        == .fileExists)
                #expect(
                    failure { try Sys.setXattr(path, "user.no", "x", flags: Flag.xattrReplace) }
                        == Errno(rawValue: ENODATA))
                #expect(failure { _ = try Sys.xattr(path, "user.no") } == Errno(rawValue: ENODATA))
                try Sys.removeXattr(path, "user.one")
                #expect(failure { try Sys.removeXattr(path, "user.one") } == Errno(rawValue: ENODATA))
                let real = inLower ? union.inLower(name) : union.inUpper(name)
                #expect(try Sys.xattrText(real, "trusted.three") == "3")
            }
            #expect(failure { try Sys.setXattr(union["s"], "user.x", "1") } == .notPermitted)
            try Sys.setXattr(union["s"], "trusted.x", "1")
            #expect(try Sys.xattrText(union["s"], "trusted.x") == "1")
        }
    }

    /// `ls -l` asks for SELinux's label of each file, unless it learns that there are none.
    @Test func listingInFullAsksForNoLabels() throws {
        try withUnion(lower: ["d": ["a": "1", "b": "2", "c": "3"]], options: ["coherence=watch"]) {
            union throws in
            let label = "security.selinux"
            let (list, path) = (["ls", "-l", union["d"].text], union["d/b"])
            #expect(try run(list).orThrow().output.split(separator: "\n").count == 4)
            try union.synchronize()
            let before = try union.control.status()
            try run(list).orThrow()
            #expect(try union.control.status().requests(since: before)["GETXATTR", default: 0] <= 2)
            #expect(failure { _ = try Sys.xattr(path, label) } == Errno(rawValue: EOPNOTSUPP))
            // One that is there is shown as it is.
            let refusal = failure { try Sys.setXattr(union.inLower("d/b"), label, "label") }
            if refusal != nil { return }
            #expect(try Sys.xattrText(path, label) == "label")
            try Sys.removeXattr(path, label)
            #expect(failure { _ = try Sys.xattr(union.inLower("d/b"), label) } == Errno(rawValue: ENODATA))
        }
    }

    @Test func largeValues() throws {
        try withScratch { scratch throws in
            let lower = try scratch.tmpfs("lower")
            try Sys.put(lower / "f", "x")
            try withUnion(in: scratch, upper: nil, lowers: [lower]) { union throws in
                let value = [UInt8](repeating: 0x5a, count: 40000)
                let direct = failure { try Sys.setXattr(lower / "f", "trusted.big", bytes: value) }
                #expect(failure { try Sys.setXattr(union["f"], "trusted.big2", bytes: value) } == direct)
                if direct == nil { #expect(try Sys.xattr(union["f"], "trusted.big") == value) }
            }
        }
    }

    @Test func ownNamesAreHiddenAndRefused() throws {
        try withUnion(lower: ["d": ["f": "x"]]) { union throws in
            try Sys.put(union["d/new"], "n")
            for path in [union.mount, union["d"], union["d/f"], union["d/new"]] {
                #expect(try Sys.xattrs(path).filter { $0.contains(".switchfs.") } == [])
                for name in ["trusted.switchfs.x", "user.switchfs.x", "user.switchfs.layer"] {
                    #expect(failure { try Sys.setXattr(path, name, "1") } == .notPermitted, "\(name)")
                    #expect(failure { try Sys.removeXattr(path, name) } == .notPermitted, "\(name)")
                }
            }
        }
    }

    @Test func virtualNamesTellTheOrigin() throws {
        try withUnion(
            lower: ["f": "l", "d": [:], "m": [:]], more: [["g": "2"]], upper: ["u": "u", "m": [:]]
        ) {
            union throws in
            for (name, index, real) in [
                ("u", "0", union.inUpper("u")), ("f", "1", union.inLower("f")),
                ("g", "2", union.inLower("g", 1)),
            ] as [(TestPath, String, TestPath)] {
                #expect(try union.layer(of: name) == index)
                #expect(try Sys.xattrText(union[name], "user.switchfs.path") == real.text)
                #expect(try !Sys.xattrText(union[name], "user.switchfs.kind").isEmpty)
            }
            let kinds = try ["d", "m", "f"].map { try Sys.xattrText(union[$0], "user.switchfs.kind") }
            #expect(Set(kinds).count == 3, "\(kinds)")
        }
    }

    @Test func accessACLDecides() throws {
        let acl = PosixACL([
            (.owner, 6), (.user(54322), 6), (.group, 0), (.namedGroup(54400), 4), (.mask, 6), (.other, 0),
        ])
        try withUnion(lower: ["f": "x"]) { union throws in
            try Sys.setXattr(union["f"], PosixACL.access, bytes: acl.bytes)
            #expect(try Sys.xattr(union.inLower("f"), PosixACL.access) == acl.bytes)
            #expect(try Sys.facts(union["f"]).permissions == 0o660)
            try acting(as: .bob) { try Sys.overwrite(union["f"], "y") }
            #expect(try acting(as: .alice) { try Sys.text(union["f"]) } == "y")
            #expect(
                failure { try acting(as: .alice) { try Sys.overwrite(union["f"], "z") } } == .permissionDenied
            )
            #expect(failure { try acting(as: .nobody) { _ = try Sys.text(union["f"]) } } == .permissionDenied)
            // chmod changes the mask, as on a local directory.
            try Sys.changeMode(union["f"], 0o640)
            #expect(
                failure { try acting(as: .bob) { try Sys.overwrite(union["f"], "n") } } == .permissionDenied)
            try Sys.removeXattr(union["f"], PosixACL.access)
            #expect(failure { _ = try Sys.xattr(union["f"], PosixACL.access) } == Errno(rawValue: ENODATA))
        }
    }

    @Test func userNamesNeedTheRight() throws {
        try withUnion(lower: ["f": .file("x", mode: 0o644)]) { union throws in
            #expect(
                failure { try acting(as: .alice) { try Sys.setXattr(union["f"], "user.a", "1") } }
                    == .permissionDenied)
            #expect(
                failure { try acting(as: .alice) { try Sys.setXattr(union["f"], "trusted.a", "1") } }
                    == .notPermitted)
            try Sys.setXattr(union["f"], "trusted.t", "1")
            #expect(try acting(as: .alice) { try Sys.xattrs(union["f"]) }.contains("trusted.t") == false)
        }
    }

    @Test func statfsIsTheCreateLayers() throws {
        try withScratch { scratch throws in
            _ = try scratch.tmpfs("upper", options: "size=7m,mode=755")
            let lower = try scratch.tmpfs("lower", options: "size=3m,mode=755")
            for (options, wanted) in [([], 7), (["create=lower"], 3)] as [([String], UInt64)] {
                let top = try scratch.directory("upper/top")
                try withUnion(
                    in: scratch, name: "u\(wanted)", upper: top, lowers: [lower], options: options
                ) { union throws in
                    let facts = try Sys.fileSystem(union.mount)
                    #expect(facts.blocks * facts.blockSize == wanted << 20)
                    #expect(facts.nameLength == 255)
                }
            }
        }
    }
}

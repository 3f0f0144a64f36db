import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Writing to a lower file writes the lower file: nothing is ever copied up.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct NoCopyUpTests {
    @Test func smallWriteToALargeLowerFile() throws {
        try withUnion { union throws in
            try Sys.open(union.inLower("big"), O_RDWR | O_CREAT).truncate(to: 1 << 30)
            let block = [UInt8](repeating: 7, count: 4096)
            let native = try Sys.open(union.inLower("big"), O_RDWR)
            let through = try Sys.open(union["big"], O_RDWR)
            let nativeTime = try seconds { try native.write(block, at: 4096) }
            let unionTime = try seconds { try through.write(block, at: 512 << 20) }
            #expect(unionTime < nativeTime + 0.05)
            #expect(try native.read(4096, at: 512 << 20) == block)
            #expect(try Sys.names(union.inUpper("")) == [])
            #expect(try Sys.facts(union["big"]).blocks == native.facts().blocks)
        }
    }

    @Test func readerOpenedBeforeSeesTheWrite() throws {
        try withUnion(lower: ["f": "before"]) { union throws in
            let reader = try Sys.open(union["f"])
            #expect(try reader.read(6, at: 0) == Array("before".utf8))
            let writer = try Sys.open(union["f"], O_RDWR)
            try writer.write(Array("after!".utf8), at: 0)
            #expect(try reader.read(6, at: 0) == Array("after!".utf8))
            #expect(try reader.facts().inode == writer.facts().inode)
            try writer.truncate(to: 2)
            #expect(try reader.facts().size == 2)
            #expect(try Sys.text(union.inLower("f")) == "af")
        }
    }

    @Test func mappingsAreOneMemory() throws {
        try withUnion(lower: ["f": .bytes([UInt8](repeating: 0, count: 16384))]) { union throws in
            let through = try Mapping(Sys.open(union["f"], O_RDWR), length: 16384, writable: true)
            let direct = try Mapping(Sys.open(union.inLower("f"), O_RDWR), length: 16384, writable: true)
            for at in stride(from: 0, to: 16384, by: 1000) {
                through[at] = UInt8(at / 1000 + 1)
                #expect(direct[at] == UInt8(at / 1000 + 1))
                direct[at + 1] = UInt8(at / 1000 + 2)
                #expect(through[at + 1] == UInt8(at / 1000 + 2))
            }
            #expect(try Sys.open(union["f"]).read(1, at: 1000) == [2])
        }
    }

    @Test(arguments: ["chmod", "chown", "times", "truncate", "xattr"])
    func attributesChangeTheLowersObject(what: String) throws {
        try withUnion(lower: ["d": ["f": "content"]]) { union throws in
            let path = union["d/f"]
            switch what {
            case "chmod": try Sys.changeMode(path, 0o600)
            case "chown": try Sys.changeOwner(path, uid: 11, gid: 12)
            case "times": try Sys.changeTimes(path, accessed: 1_000_000_007, modified: 2_000_000_009)
            case "truncate": try Sys.truncate(path, to: 3)
            default: try Sys.setXattr(path, "user.test", "v")
            }
            let (shown, real) = (try Sys.facts(path), try Sys.facts(union.inLower("d/f")))
            #expect(shown.mode == real.mode && shown.uid == real.uid && shown.gid == real.gid)
            #expect(shown.size == real.size && shown.modified == real.modified)
            switch what {
            case "chmod": #expect(real.permissions == 0o600)
            case "chown": #expect(real.uid == 11 && real.gid == 12)
            case "times": #expect(real.accessed == 1_000_000_007 && real.modified == 2_000_000_009)
            case "truncate": #expect(real.size == 3)
            default: #expect(try Sys.xattrText(union.inLower("d/f"), "user.test") == "v")
            }
            #expect(try Sys.names(union.inUpper("")) == [])
        }
    }

    @Test func appendAndTruncateAtOpen() throws {
        try withUnion(lower: ["f": "one"]) { union throws in
            try Sys.open(union["f"], O_WRONLY | O_APPEND).write("two")
            #expect(try Sys.text(union.inLower("f")) == "onetwo")
            try Sys.open(union["f"], O_WRONLY | O_TRUNC).write("x")
            #expect(try Sys.text(union.inLower("f")) == "x")
            #expect(try Sys.names(union.inUpper("")) == [])
        }
    }

    @Test func readOnlyOwnerRefusesEveryChange() throws {
        try withUnion(lower: ["d": ["f": "x"]], attributes: ["ro"]) { union throws in
            let path = union["d/f"]
            let attempts: [(String, () throws -> Void)] = [
                ("open", { _ = try Sys.open(path, O_WRONLY) }),
                ("open both", { _ = try Sys.open(path, O_RDWR) }),
                ("open truncate", { _ = try Sys.open(path, O_RDONLY | O_TRUNC) }),
                ("truncate", { try Sys.truncate(path, to: 0) }),
                ("chmod", { try Sys.changeMode(path, 0o600) }),
                ("chown", { try Sys.changeOwner(path, uid: 1) }),
                ("times", { try Sys.changeTimes(path, modified: Sys.now) }),
                ("xattr", { try Sys.setXattr(path, "user.x", "y") }),
            ]
            for (name, attempt) in attempts {
                #expect(failure(of: attempt) == .readOnlyFileSystem, "\(name)")
            }
            #expect(try Sys.text(path) == "x")
        }
    }

    @Test func mountOptionRoRefusesEverything() throws {
        try withUnion(lower: ["f": "x"], options: ["ro"]) { union throws in
            #expect(failure { try Sys.put(union["n"], "") } == .readOnlyFileSystem)
            #expect(failure { try Sys.overwrite(union["f"], "y") } == .readOnlyFileSystem)
            #expect(failure { try Sys.unlink(union["f"]) } == .readOnlyFileSystem)
        }
    }

    /// Changed directly, a file that is open through the union shows its new size and content.
    @Test func directWritesShowThroughAnOpenFile() throws {
        try withUnion(lower: ["f": "short"], options: ["coherence=check"]) { union throws in
            let reader = try Sys.open(union["f"])
            #expect(try reader.facts().size == 5)
            try Sys.put(union.inLower("f"), "much longer than before")
            #expect(try reader.facts().size == 23)
            #expect(try reader.readAll() == Array("much longer than before".utf8))
            #expect(try Sys.facts(union["f"]).size == 23)
            #expect(try reader.seek(0, SEEK_END) == 23)
        }
    }

    @Test func writesMoveTimes() throws {
        try withUnion(lower: ["f": TreeNode.file("x").modified(1_000_000_000_000_000_000)]) { union throws in
            let handle = try Sys.open(union["f"], O_RDWR)
            try handle.write(Array("y".utf8), at: 0)
            #expect(try handle.facts().modified > 1_500_000_000_000_000_000)
            #expect(try Sys.facts(union["f"]).modified == Sys.facts(union.inLower("f")).modified)
            try handle.changeTimes(modified: 1_000_000_000_000_000_000)
            let map = try Mapping(handle, length: 1, writable: true)
            map[0] = 9
            try map.synchronize()
            #expect(try Sys.facts(union["f"]).modified > 1_500_000_000_000_000_000)
        }
    }

    /// suid and sgid go when an ordinary user writes, also where the kernel writes without asking.
    @Test(arguments: [0o4777, 0o2777, 0o6777, 0o2767] as [UInt32])
    func writingDropsPrivilegeBits(mode: UInt32) throws {
        try withScratch { scratch throws in
            let tree: Tree = [
                "f": .file("x", mode: mode), "g": .file("x", mode: mode), "h": .file("x", mode: mode),
            ]
            let native = try scratch.tree("native", tree)
            let lower = try scratch.tree("lower", tree)
            try withUnion(in: scratch, upper: nil, lowers: [lower]) { union throws in
                for root in [native, union.mount] {
                    try acting(as: .alice) {
                        try Sys.overwrite(root / "f", "y")
                        try Sys.truncate(root / "g", to: 0)
                        try Sys.put(root / "h", "y")
                    }
                }
                for name in ["f", "g", "h"] as [TestPath] {
                    let expected = try Sys.facts(native / name).permissions
                    #expect(try Sys.facts(union[name]).permissions == expected, "\(name)")
                    #expect(try Sys.facts(lower / name).permissions == expected, "\(name)")
                }
            }
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Layers that are full or can't be written, and callers who may not write more: the real error, and nothing lost.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct FullLayerTests {
    @Test(arguments: ["auto", "off"])
    func noSpaceForData(passthrough: String) throws {
        try withScratch { scratch in
            let lower = try scratch.tmpfs("lower", options: "size=1m,mode=755")
            try Sys.put(lower / "file", "begin")
            let upper = try scratch.tmpfs("upper", options: "size=1m,mode=755")
            try Sys.makeDirectories(upper / "tree")
            try withUnion(
                in: scratch, upper: upper / "tree", lowers: [lower], options: ["passthrough=\(passthrough)"]
            ) { union in
                for name in ["file", "new"] as [TestPath] {
                    let file = try Sys.open(union[name], O_RDWR | O_CREAT)
                    let error = failure {
                        for _ in 0..<64 { try file.write([UInt8](repeating: 1, count: 65536)) }
                    }
                    #expect(error == .noSpace, "\(name)")
                    #expect(failure { try file.allocate(offset: 0, length: 1 << 22) } == .noSpace)
                    try file.truncate(to: 3)
                    try file.seek(0)
                    try file.write("end")
                    #expect(try Sys.text(union[name]) == "end")
                }
            }
        }
    }

    /// A directory of a lower can't get its skeleton: nothing is left of the attempt.
    @Test func noSpaceForASkeleton() throws {
        try withScratch { scratch in
            let lower = try scratch.tree("lower", ["a": ["b": ["file": "content"]]])
            let upper = try scratch.tmpfs("upper", options: "nr_inodes=16,mode=755")
            try Sys.makeDirectories(upper / "tree")
            try withUnion(in: scratch, upper: upper / "tree", lowers: [lower]) { union in
                var made = 0
                while failure(of: { try Sys.touch(union["fill\(made)"]) }) == nil { made += 1 }
                #expect(made > 0)
                let before = try Snapshot(union.mount, inodes: true)
                let calls: [(String, () throws -> Void)] = [
                    ("create", { try Sys.touch(union["a/b/new"]) }),
                    ("mkdir", { try Sys.makeDirectory(union["a/new"]) }),
                    ("symlink", { try Sys.makeSymlink(union["a/new"], to: "x") }),
                    ("mknod", { try Sys.makeFifo(union["a/b/new"]) }),
                ]
                for (name, call) in calls {
                    #expect(failure { try call() } == .noSpace, "\(name)")
                    #expect(try Snapshot(union.mount, inodes: true) == before, "\(name)")
                }
                for number in 0..<made { try Sys.unlink(union["fill\(number)"]) }
                try Sys.put(union["a/b/new"], "fits")
                #expect(try Sys.text(union["a/b/new"]) == "fits")
            }
        }
    }

    /// The caller's limit, not the server's: half of the block that crosses it is written, as directly.
    @Test(arguments: ["auto", "off"])
    func fileSizeLimitOfTheCaller(passthrough: String) throws {
        try withUnion(lower: ["file": ""], options: ["passthrough=\(passthrough)"]) { union in
            for path in [union.inLower("direct"), union["file"], union["new"]] {
                let script = "trap '' XFSZ; ulimit -f 8; dd if=/dev/zero of=\(path) bs=1536 count=10 2>&1"
                let result = try shell(script)
                #expect(!result.succeeded)
                #expect(result.output.contains("File too large"), "\(path): \(result.output)")
                #expect(try Sys.facts(path).size == 8 * 512, "\(path)")
            }
        }
    }

    /// A layer on a filesystem that is mounted read-only, of which the mount command said nothing.
    @Test func readOnlyFileSystem() throws {
        try withScratch { scratch in
            let ground = try scratch.tmpfs("ground")
            try (["file": "content", "d": ["inner": ""]] as Tree).build(at: ground)
            try run("mount", "-o", "remount,ro", ground.text).orThrow()
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [ground]) { union in
                let calls: [(String, () throws -> Void)] = [
                    ("open", { _ = try Sys.open(union["file"], O_WRONLY) }),
                    ("truncate", { try Sys.truncate(union["file"], to: 0) }),
                    ("chmod", { try Sys.changeMode(union["file"], 0o600) }),
                    ("chown", { try Sys.changeOwner(union["file"], uid: 5) }),
                    ("utimens", { try Sys.changeTimes(union["file"], modified: 1) }),
                    ("setxattr", { try Sys.setXattr(union["file"], "user.a", "b") }),
                ]
                for (name, call) in calls {
                    #expect(failure { try call() } == .readOnlyFileSystem, "\(name)")
                }
                #expect(try Sys.text(union["file"]) == "content")
                try Sys.put(union["d/new"], "in the upper")
                #expect(try Sys.text(union.inUpper("d/new")) == "in the upper")
            }
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Mounting, ending, and what the other commands say.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct MountLifeTests {
    /// Mounts in the background, in each form; the command returns when the mount is ready.
    @Test(arguments: [
        "-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work @/mnt",
        "mount --lower @/lower --upper @/upper @/mnt",
        "@/mnt -o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,rw,noatime,nofail,_netdev,x-test=1",
    ])
    func background(line: String) throws {
        try withScratch { scratch throws in
            try CommandLineTests.layers(scratch)
            try Sys.put(scratch.root / "lower/f", "x")
            let mount = scratch.root / "mnt"
            let done = try run([Machine.binary] + CommandLineTests.split(line, scratch), within: 300)
            defer { try? Sys.unmount(mount, lazily: true) }
            try done.orThrow()
            #expect(try Sys.text(mount / "f") == "x")
            #expect(done.errors == "" && done.output == "")
            #expect(try run(Machine.binary, "list").output.contains(mount.text))
            #expect(try run(Machine.binary, "list", "--json").output.contains("\"\(mount)\""))
            try run(Machine.binary, "unmount", mount.text).orThrow()
            #expect(!Machine.isMounted(mount))
            try Self.noServerLeft(mount)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func signalsUnmount(signal: Int32) throws {
        try withScratch { scratch throws in
            let lower = try scratch.tree("lower", ["f": "x"])
            let mount = try scratch.directory("mnt")
            let server = try Child([Machine.binary, "-f", "-o", "lowerdir=\(lower)", mount.text])
            try eventually("the mount") { Sys.exists(mount / "f") }
            server.send(signal)
            #expect(try server.wait(within: 300) == .exited(0))
            #expect(!Machine.isMounted(mount))
        }
    }

    @Test func fusermountUnmounts() throws {
        try withUnion(lower: ["f": "x"]) { union throws in
            let process = union.process ?? 0
            try run("fusermount3", "-u", union.mount.text).orThrow()
            try eventually("the server's end") { !Sys.exists("/proc/\(process)") || zombie(process) }
            #expect(!Machine.isMounted(union.mount))
            union.crash()
        }
    }

    /// As mount(8)'s helpers call it: a source, the mount point, the options.
    @Test func helperForm() throws {
        try withScratch { scratch throws in
            try CommandLineTests.layers(scratch)
            let mount = scratch.root / "mnt"
            let line = "source @/mnt -o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,rw,dev,suid,exec"
            try run([Machine.binary] + CommandLineTests.split(line, scratch), within: 300).orThrow()
            #expect(Machine.mounts.first { $0.path == mount }?.type == "fuse.switchfs")
            try run("umount", mount.text).orThrow()
            try Self.noServerLeft(mount)
        }
    }

    @Test(.enabled(if: Machine.hasProgram("mount.fuse3"), "needs mount.fuse3"))
    func throughMount8() throws {
        try withScratch { scratch throws in
            try CommandLineTests.layers(scratch)
            try Sys.put(scratch.root / "lower/f", "x")
            let mount = scratch.root / "mnt"
            let line = "mount -t fuse #source @/mnt -o lowerdir=@/lower,upperdir=@/upper,workdir=@/work"
            var arguments = CommandLineTests.split(line, scratch)
            arguments[3] = Machine.binary + arguments[3]
            try run(arguments, within: 300).orThrow()
            #expect(Machine.mounts.first { $0.path == mount }?.type == "fuse.switchfs")
            #expect(try Sys.text(mount / "f") == "x")
            try run("umount", mount.text).orThrow()
            try Self.noServerLeft(mount)
        }
    }

    @Test func statusTellsTheLayers() throws {
        try withUnion(lower: ["f": "x"], more: [[:]], attributes: ["ro", ""]) { union throws in
            let open = try Sys.open(union["f"])
            let status = try union.command("status", union.mount.text, "--json").orThrow().output
            for word in [
                "mountpoint", "pid", "version", "layers", "index", "role", "path", "access", "filesystem",
                "coherence", "passthrough", "counters", "requests", "open_files",
            ] {
                #expect(status.contains("\"\(word)\""), "\(word)")
            }
            #expect(status.contains(union.lowers[0].text) && status.contains(union.inUpper("").parent.text))
            #expect(!(try union.command("status", union.mount.text).orThrow().output.isEmpty))
            _ = open
        }
    }

    @Test func explainTellsWhereThingsGo() throws {
        try withUnion(lower: ["d": ["f": "x"]], upper: ["d": ["f": "y"]]) { union throws in
            let json = try union.command("explain", union["d/f"].text, "--json").orThrow().output
            for word in ["path", "kind", "owner", "layers", "found", "create", "mkdir", "unlink", "rename"] {
                #expect(json.contains("\"\(word)\""), "\(word)")
            }
            #expect(try union.command("explain", union["d/f"].text).output.contains(union.inUpper("d").text))
        }
    }

    @Test func doctorAnswers() throws {
        let done = try run(Machine.binary, "doctor")
        #expect(done.output.contains("fuse"))
        // Where these tests run at all, a mount can be made.
        #expect(done.ending == .exited(0))
    }

    /// Data goes past the server: no READ, WRITE or per-write GETXATTR requests.
    @Test(arguments: [true, false])
    func noRequestsForData(inLower: Bool) throws {
        let tree: Tree = ["f": .bytes([UInt8](repeating: 1, count: 1 << 20))]
        try withUnion(lower: inLower ? tree : [:], upper: inLower ? [:] : tree) { union throws in
            let file = try Sys.open(union["f"], O_RDWR)
            for at in 0..<200 { try file.write([2, 3, 4], at: Int64(at) * 5000) }
            for at in 0..<200 { #expect(try file.read(3, at: Int64(at) * 5000) == [2, 3, 4]) }
            let status = try union.command("status", union.mount.text, "--json").orThrow().output
            try #require(status.contains("\"enabled\""))
            let passthrough = status.filter { $0 != " " && $0 != "\n" }.contains("\"enabled\":true")
            if passthrough {
                #expect(count("READ", in: status) == 0)
                #expect(count("WRITE", in: status) == 0)
                #expect(count("GETXATTR", in: status) < 10)
            }
        }
    }

    @Test func passthroughOffWorksTheSame() throws {
        try withUnion(lower: ["f": "abc"], options: ["passthrough=off", "coherence=static"]) { union throws in
            let file = try Sys.open(union["f"], O_RDWR)
            try file.write(Array("xyz".utf8), at: 1)
            #expect(try Sys.text(union.inLower("f")) == "axyz")
            let map = try Mapping(file, length: 4, writable: true)
            map[0] = UInt8(ascii: "q")
            try map.synchronize()
            #expect(try Sys.text(union.inLower("f")) == "qxyz")
            #expect(try Sys.text(union["f"]) == "qxyz")
        }
    }

    @Test func withoutAllowOtherOnlyTheMounterGetsIn() throws {
        try withUnion(lower: ["f": "x"], options: ["no_allow_other"]) { union throws in
            #expect(try Sys.text(union["f"]) == "x")
            #expect(failure { try acting(as: .alice) { _ = try Sys.open(union["f"]) } } == .permissionDenied)
        }
    }

    private func count(_ name: String, in status: String) -> Int {
        let compact = status.filter { $0 != " " && $0 != "\n" }
        let parts = compact.split(separator: "\"\(name)\":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count < 2 ? 0 : Int(parts[1].prefix { $0.isNumber }) ?? 0
    }

    private func zombie(_ process: Int32) -> Bool {
        ((try? Sys.text("/proc/\(process)/stat")) ?? "").contains(") Z ")
    }

    static func noServerLeft(_ mount: TestPath) throws {
        try eventually("the server's end") {
            try !run("sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' '").output
                .contains(mount.text + " ")
        }
    }
}

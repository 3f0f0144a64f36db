import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Other pseudo file systems as layers, and readers that block.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct PseudoFileSystemTests {
    @Test func procShowsTheCaller() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [proc]) { union throws in
                #expect(try Sys.text(union["version"]) == Sys.text("/proc/version"))
                #expect(try Sys.text(union["1/comm"]) == Sys.text("/proc/1/comm"))
                let seen = try run("cat", union["self/comm"].text).orThrow().output
                #expect(seen == "cat\n")
                try Sys.put(union["note"], "x")
                #expect(try Sys.text(union["note"]) == "x")
                let sleeper = try Child(["sleep", "60"])
                // Until it has executed it has its parent's name.
                try eventually("the process has its name") {
                    try Sys.text(union["\(sleeper.pid)/comm"]) == "sleep\n"
                }
                sleeper.end()
                #expect(failure { _ = try Sys.text(union["\(sleeper.pid)/comm"]) } == .noSuchFileOrDirectory)
                #expect(try acting(as: .alice) { failure { _ = try Sys.text(union["1/environ"]) } } != nil)
            }
        }
    }

    @Test func sysfsReads() throws {
        try withScratch { scratch throws in
            let sysfs = try scratch.sysfs("sysfs")
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [sysfs]) { union throws in
                #expect(
                    try Sys.text(union["kernel/mm/transparent_hugepage/enabled"])
                        == Sys.text("/sys/kernel/mm/transparent_hugepage/enabled"))
                #expect(try Sys.names(union["class"]) == Sys.names("/sys/class"))
                try Sys.put(union["kernel/note"], "x")
                #expect(try Sys.names(union["kernel"]).contains("note"))
            }
        }
    }

    @Test(.enabled(if: Machine.hasBPF, "needs bpffs"))
    func bpfAsLowerAndUpper() throws {
        try withScratch { scratch throws in
            let bpf = try scratch.bpf("bpf")
            let plain = try scratch.directory("plain")
            try withUnion(in: scratch, upper: plain, lowers: [bpf], options: ["mkdir=lower"]) {
                union throws in
                try Sys.makeDirectory(union["d"])
                #expect(Sys.exists(bpf / "d"))
                try Sys.put(union["d/plain"], "x")
                #expect(try Sys.names(union["d"]) == ["plain"])
            }
            try withUnion(
                in: scratch, name: "second", upper: plain, lowers: [bpf], options: ["create=fallback"]
            ) { union throws in
                try Sys.put(union["g"], "x")
                #expect(Sys.exists(plain / "g"))
            }
        }
    }

    /// Sixty-four readers wait on one file, in the server: the rest of the mount answers, and who is
    /// interrupted ends.
    @Test(.enabled(if: Sys.exists("/proc/kmsg"), "needs /proc/kmsg"))
    func blockedReadersStallNobody() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: nil, lowers: [proc]) { union throws in
                let readers = try (0..<64).map { _ in try Child(["cat", union["kmsg"].text]) }
                defer { for reader in readers { reader.end() } }
                let sleeping = {
                    readers.filter { ((try? Sys.text("/proc/\($0.pid)/stat")) ?? "").contains(") S ") }.count
                }
                try eventually("all readers wait", within: 300) { sleeping() >= 60 }
                for _ in 0..<20 {
                    try run("ls", union["1"].text, within: 300).orThrow()
                    #expect(try Sys.text(union["version"]) == Sys.text("/proc/version"))
                }
                for reader in readers {
                    reader.send(SIGTERM)
                    _ = try reader.wait(within: 300)
                }
            }
        }
    }
}

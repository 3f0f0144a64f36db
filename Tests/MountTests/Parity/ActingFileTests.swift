import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Files that act by who opens, reads or writes them: through the union they act as directly, for everybody.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ActingFileTests {
    /// An ordinary user, with nothing and with a capability; root, with all and with nothing.
    static let callers: [Identity] = [
        .root, .alice, .bob, Identity(uid: 54333, gid: 54333, capabilities: [1]),
        Identity(uid: 54334, gid: 54334, capabilities: [21]), Identity(uid: 54335, gid: 0),
        Identity(uid: 54336, gid: 54336, groups: [0]), Identity(uid: 0, gid: 0, capabilities: []),
        Identity(uid: 0, gid: 54337, capabilities: [1, 21]),
    ]

    /// Opens for each way of reading and writing, and writes back what stands there.
    private static func tries(_ path: TestPath, _ value: String?) -> [String] {
        [O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC].map { flags in
            do throws(Errno) {
                let file = try Sys.open(path, flags | O_NONBLOCK)
                guard let value, flags & O_ACCMODE != O_RDONLY else { return "opened" }
                return "wrote \(try file.write(value))"
            } catch {
                return error.name
            }
        }
    }

    private static func compare(_ path: TestPath, in layer: TestPath, _ union: Union) throws {
        guard Sys.exists(layer / path) else { return print("no \(path) here") }
        let value = try? Sys.text(layer / path)
        for caller in callers {
            let direct = try acting(as: caller) { tries(layer / path, value) }
            let through = try acting(as: caller) { tries(union[path], value) }
            #expect(through == direct, "\(path) as \(caller)")
        }
    }

    @Test func procsSwitches() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                for path in [
                    "sys/kernel/randomize_va_space", "sys/kernel/hostname", "sys/kernel/core_pattern",
                    "sys/kernel/dmesg_restrict", "sys/vm/swappiness", "sys/vm/overcommit_memory",
                    "sys/fs/file-max", "sys/fs/suid_dumpable", "sys/kernel/usermodehelper/bset",
                    "sys/kernel/ns_last_pid", "1/environ", "1/maps", "1/oom_score_adj", "1/io", "1/stack",
                    "1/syscall", "kallsyms", "slabinfo",
                ] as [TestPath] {
                    try Self.compare(path, in: proc, union)
                }
            }
        }
    }

    @Test func sysfsSwitches() throws {
        try withScratch { scratch throws in
            let sysfs = try scratch.sysfs("sysfs")
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [sysfs]) {
                union throws in
                for path in [
                    "kernel/mm/transparent_hugepage/defrag", "kernel/mm/ksm/pages_to_scan",

                    "kernel/uevent_helper", "block/vda/queue/read_ahead_kb", "kernel/notes",
                    "devices/system/cpu/online", "module/fuse/parameters/max_user_bgreq",
                ] as [TestPath] {
                    try Self.compare(path, in: sysfs, union)
                }
            }
        }
    }

    /// A mapping would be written back by the kernel, as nobody: such files take none for writing.
    @Test func aMappingWritesNothing() throws {
        try withScratch { scratch throws in
            let sysfs = try scratch.sysfs("sysfs")
            let path: TestPath = "kernel/mm/transparent_hugepage/defrag"
            guard Sys.exists(sysfs / path) else { return print("no \(path) here") }
            try withUnion(in: scratch, upper: nil, lowers: [sysfs]) { union throws in
                let before = try Sys.text(sysfs / path)
                let other = before.contains("[never]") ? "madvise" : "never"
                let chosen = before.split(separator: "[").last?.split(separator: "]").first
                defer { if let chosen { try? Sys.overwrite(sysfs / path, String(chosen)) } }
                let file = try Sys.open(union[path], O_RDWR)
                do {
                    let map = try Mapping(file, length: 4096, writable: true)
                    let text = Array((other + "\n").utf8)
                    map.store(text + [UInt8](repeating: 0, count: 4096 - text.count), at: 0)
                    try map.synchronize()
                } catch {
                    // ENODEV, as directly, or EIO where it was to be written.
                }
                #expect(try Sys.text(sysfs / path) == before)
            }
        }
    }

    /// A process's own files judge the writer, whoever opened them.
    @Test func openedByOneAndUsedByAnother() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                let outcomes = try [proc, union.mount].map { root -> [String] in
                    var all: [String] = []
                    for opener in Self.callers {
                        for writer in Self.callers {
                            let sleeper = try Child(Identity.bob.launcher + ["sleep", "60"])
                            try eventually("it is bob's") {
                                (try? Sys.facts("/proc/\(sleeper.pid)/oom_score_adj"))?.uid == 54322
                            }
                            let path = root / "\(sleeper.pid)/oom_score_adj"
                            let file = try acting(as: opener) { try? Sys.open(path, O_RDWR) }
                            let error = try acting(as: writer) { () -> String in
                                guard let file else { return "not opened" }
                                return failure { try file.write("-500\n") }?.name ?? "written"
                            }
                            all.append("opened by \(opener), written by \(writer): \(error)")
                            sleeper.end()
                        }
                    }
                    return all
                }
                #expect(outcomes[1] == outcomes[0])
                #expect(Set(outcomes[0].map { $0.split(separator: ": ").last }).count > 1)
            }
        }
    }

    /// proc keeps other users' processes from sight by who asks, not by any mode.
    @Test(arguments: ["hidepid=0", "hidepid=1", "hidepid=2"])
    func hiddenProcessesStayHidden(option: String) throws {
        try withScratch { scratch throws in
            let proc = try scratch.mount("proc", "proc", type: "proc", options: option)
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                for caller in Self.callers {
                    let seen = try [proc, union.mount].map { root in
                        try acting(as: caller) {
                            [
                                failure { _ = try Sys.text(root / "1/cmdline") }?.name ?? "read",
                                failure { _ = try Sys.names(root / "1") }?.name ?? "listed",
                                failure { _ = try Sys.names(root / "1/task") }?.name ?? "listed",
                                failure { _ = try Sys.readLink(root / "1/exe") }?.name ?? "followed",
                                failure { _ = try Sys.facts(root / "1") }?.name ?? "seen",
                                failure { _ = try Sys.facts(root / "1/stat") }?.name ?? "seen",
                                "\(try Sys.names(root).contains("1"))",
                            ]
                        }
                    }
                    #expect(seen[1] == seen[0], "\(option) as \(caller)")
                }
            }
        }
    }

    @Test func selfIsTheCaller() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: nil, lowers: [proc]) { union throws in
                for caller in Self.callers {
                    let seen = try acting(as: caller) {
                        try [proc, union.mount].map { root in
                            [
                                try Sys.readLink(root / "self").text,
                                try Sys.readLink(root / "thread-self").text,
                                try Sys.text(root / "self/comm"), try Sys.text(root / "thread-self/comm"),
                            ]
                        }
                    }
                    #expect(seen[1] == seen[0], "as \(caller)")
                }
            }
        }
    }
}

extension Identity {
    /// What to put before a command line to run it as this user.
    fileprivate var launcher: [String] {
        ["setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--clear-groups"]
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Files that show a namespace, or whose content depends on one, show the caller's.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct NamespaceFileTests {
    static let files: [TestPath] = [
        "sys/kernel/hostname", "sys/kernel/domainname", "sys/kernel/msgmni", "sys/kernel/sem",
        "sys/kernel/shmmax",
        "sys/net/ipv4/ip_forward", "sys/net/ipv4/conf/all/forwarding", "sys/net/core/somaxconn",
        "sys/user/max_net_namespaces", "sys/fs/mqueue/queues_max", "sysvipc/shm", "sysvipc/msg",
        "self/cgroup",
        "self/uid_map", "self/setgroups", "self/limits", "key-users",
        "sys/kernel/random/boot_id", "version", "1/cgroup", "1/status", "1/environ", "1/uid_map",
    ]

    /// Without sizes and counts, which change while they are read.
    private static func plain(_ answer: String) -> String {
        let counts = ["kB", "voluntary", "SigQ", "State", "Threads"]
        return answer.split(separator: "\n").filter { line in !counts.contains { line.contains($0) } }
            .joined(separator: "\n")
    }

    private func withProcUnion(_ body: (TestPath, Union, Int32) throws -> Void) throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                try body(proc, union, try #require(union.process))
            }
        }
    }

    @Test func showTheReaders() throws {
        try withProcUnion { proc, union, _ throws in
            for file in Self.files where Sys.exists(proc / file) || file.text.hasPrefix("self") {
                for actor in Actor.all {
                    let seen = try [proc, union.mount].map { Self.plain(try actor.reading($0 / file)) }
                    #expect(seen[1] == seen[0], "\(file) read by \(actor)")
                }
            }
            #expect(try Actor.all[6].reading(union["sys/kernel/hostname"]) == "ok:inner\n")
            #expect(try Actor.all[6].reading(union["sys/kernel/msgmni"]) == "ok:77\n")
            #expect(try Actor.all[5].reading(union["sys/net/ipv4/ip_forward"]) == "ok:1\n")
        }
    }

    /// Written where the writer is, and nowhere else.
    @Test func changeTheWriters() throws {
        try withProcUnion { proc, union, server throws in
            let before = try ServerState(of: server)
            for file in ["sys/kernel/hostname", "sys/kernel/msgmni", "sys/net/ipv4/ip_forward"] as [TestPath]
            {
                let value = try Sys.text(proc / file)
                for actor in Actor.all where actor.name.hasPrefix("root") {
                    // Where it shows the value that is everybody's, that is written back.
                    let text =
                        try actor.reading(proc / file) == "ok:" + value
                        ? value : file == "sys/kernel/hostname" ? "x" : "1"
                    let outcomes = try [proc, union.mount].map { root -> String in
                        try actor.writing(text, to: root / file).split(separator: " ").first.map(String.init)
                            ?? ""
                    }
                    #expect(outcomes[1] == outcomes[0], "\(file) written by \(actor)")
                    #expect(try Sys.text(proc / file) == value, "\(file) written by \(actor)")
                }
            }
            #expect(try ServerState(of: server) == before)
        }
    }

    /// Who lists the switches of his network sees no names of another's.
    @Test func listingsAreTheReaders() throws {
        try withProcUnion { proc, union, _ throws in
            for path in ["sys/net/ipv4/conf", "sys/net", "sys/net/core", "sys/kernel", "sys"] as [TestPath] {
                let lists = try [proc, union.mount].map { root in
                    try run("unshare", "-n", "ls", (root / path).text).orThrow().output
                }
                #expect(lists[1] == lists[0], "\(path)")
            }
        }
    }

    /// Paths in links and maps begin at the reader's root: one that has the machine's below a directory.
    @Test func pathsAreTheReaders() throws {
        try withProcUnion { proc, union, _ throws in
            let outer = proc.parent
            let inner = outer / "inner"
            try Sys.makeDirectory(inner)
            for file in ["exe", "cwd", "root", "maps"] {
                let seen = try [proc, union.mount].map { root in
                    let read = file == "maps" ? "grep -o '/[^ ]*$'" : "readlink"
                    let script = """
                        mount --rbind / \(inner) && cd / && exec chroot \(inner) sh -c \
                        "\(read) \(root)/self/\(file); \(read) \(root)/$$/\(file)"
                        """
                    return try run("unshare", "-m", "sh", "-c", script).orThrow().output
                }
                #expect(seen[1] == seen[0], "\(file)")
            }
        }
    }

    /// `self` of a proc filesystem of another pid namespace is nobody there, or who asks; never another one.
    @Test func selfInAnotherNamespacesProc() throws {
        try withScratch { scratch throws in
            let place = try scratch.directory("place")
            let inner = try Child([
                "unshare", "-pf", "--kill-child", "sh", "-c", "mount -t proc proc \(place); sleep 600",
            ])
            defer {
                inner.end()
                try? Sys.unmount(place, lazily: true)
            }
            try eventually("it is mounted") { Machine.isMounted(place) }
            try withUnion(in: scratch, upper: nil, lowers: [place]) { union throws in
                #expect(failure { _ = try Sys.readLink(union["self"]) } == .noSuchFileOrDirectory)
                #expect(failure { _ = try Sys.text(union["self/comm"]) } == .noSuchFileOrDirectory)
                #expect(try Sys.text(union["1/comm"]) == Sys.text(place / "1/comm"))
            }
        }
    }
}

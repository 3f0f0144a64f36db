import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What proc has of the server: through its own mount nobody gets more of it than directly.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ServerEntryTests {
    static let files: [TestPath] = [
        "mem", "maps", "smaps", "environ", "auxv", "io", "stack", "syscall", "pagemap", "personality",
        "wchan", "status",
        "stat", "cmdline", "comm", "limits", "oom_score_adj", "coredump_filter", "clear_refs",
        "timerslack_ns",
        "attr/current", "loginuid", "autogroup", "uid_map", "setgroups", "sched", "timers", "fdinfo/0",
        "cgroup",
        "patch_state", "make-it-fail", "mountinfo",
    ]
    static let links: [TestPath] = ["cwd", "root", "exe", "ns/net", "ns/user", "fd/0"]
    static let directories: [TestPath] = ["fd", "fdinfo", "ns", "map_files", "task", "attr", "net"]

    private static func entries(of server: Int32) throws -> [TestPath] {
        let thread = try #require(lastingThreads(of: server).first)
        return [
            TestPath("\(server)"), TestPath("\(thread)"), TestPath("\(server)/task/\(thread)"),
        ]
    }

    private func compare(_ proc: TestPath, _ shown: TestPath, _ server: Int32) throws {
        let before = try ServerState(of: server)
        for entry in try Self.entries(of: server) {
            for actor in Actor.all {
                // A thread has the files of its process: enough of them to see that it is one.
                let files = entry.text == "\(server)" ? Self.files : Array(Self.files.prefix(8))
                for file in files where Sys.exists(proc / entry / file) {
                    for flags in [O_RDONLY, O_WRONLY, O_RDWR] {
                        let answers = try [proc, shown].map { try actor.opening($0 / entry / file, flags) }
                        #expect(answers[1] == answers[0], "\(entry / file) opened with \(flags) by \(actor)")
                    }
                    let errors = try [proc, shown].map {
                        try actor.reading($0 / entry / file).split(separator: ":").first.map(String.init)
                    }
                    #expect(errors[1] == errors[0], "\(entry / file) read by \(actor)")
                }
                for link in Self.links {
                    let answers = try [proc, shown].map { try actor.readingLink($0 / entry / link) }
                    #expect(answers[1] == answers[0], "\(entry / link) read by \(actor)")
                }
                for directory in Self.directories {
                    let answers = try [proc, shown].map {
                        try actor.opening($0 / entry / directory, O_RDONLY | O_DIRECTORY)
                    }
                    #expect(answers[1] == answers[0], "\(entry / directory) opened by \(actor)")
                    let listings = try [proc, shown].map { try actor.listing($0 / entry / directory) }
                    #expect(listings[1] == listings[0], "\(entry / directory) listed by \(actor)")
                }
            }
        }
        #expect(try ServerState(of: server) == before)
    }

    @Test func asDirectly() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                try compare(proc, union.mount, try #require(union.process))
            }
        }
    }

    /// A part of a proc filesystem, by a name that has no number, and a whole one deep in a layer.
    @Test func byOtherNames() throws {
        try withScratch { scratch throws in
            let layer = try scratch.directory("layer")
            let whole = try scratch.mount("proc", "layer/some/where", type: "proc")
            let part = try scratch.directory("layer/part")
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [layer]) { union throws in
                let server = try #require(union.process)
                try Sys.mount("/proc/\(server)", on: part, type: "none", flags: 4096)
                defer { try? Sys.unmount(part, lazily: true) }
                let actors = Actor.all.filter { $0.name != "root" }
                for actor in actors {
                    for (real, shown) in [
                        (part, union["part"]), (whole / "\(server)", union["some/where"] / "\(server)"),
                    ] {
                        for file in ["mem", "maps", "environ", "stack", "status"] as [TestPath] {
                            let answers = try [real, shown].map {
                                try actor.opening($0 / file, O_RDONLY) + actor.reading($0 / file).prefix(6)
                            }
                            #expect(answers[1] == answers[0], "\(shown / file) by \(actor)")
                        }
                        let links = try [real, shown].map { try actor.readingLink($0 / "exe") }
                        #expect(links[1] == links[0], "\(shown)/exe by \(actor)")
                    }
                }
            }
        }
    }

    /// Writing what names no process acts on whoever owns the file, who may only be somebody else.
    @Test func writesChangeNothingOfIt() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: nil, lowers: [proc]) { union throws in
                let server = try #require(union.process)
                let before = try ServerState(of: server)
                for (file, text) in [
                    ("comm", "renamed"), ("attr/current", "x"), ("loginuid", "5"), ("timerslack_ns", "1"),
                ] as [(TestPath, String)] where Sys.exists(proc / "\(server)" / file) {
                    for actor in Actor.all where file != "timerslack_ns" || actor.name != "root" {
                        let outcomes = try [proc, union.mount].map { root -> String in
                            try actor.writing(text, to: root / "\(server)" / file).split(separator: " ").first
                                .map(String.init) ?? ""
                        }
                        #expect(outcomes[1] == outcomes[0], "\(file) written by \(actor)")
                    }
                }
                #expect(try ServerState(of: server) == before)
            }
        }
    }

    /// The thread group of the server is hidden as others are where proc hides processes.
    @Test(arguments: ["hidepid=0", "hidepid=1", "hidepid=2"])
    func hiddenWhereOthersAre(option: String) throws {
        try withScratch { scratch throws in
            let proc = try scratch.mount("proc", "proc", type: "proc", options: option)
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                let server = try #require(union.process)
                for caller in ActingFileTests.callers {
                    let seen = try [proc, union.mount].map { root in
                        try acting(as: caller) {
                            [
                                "\(try Sys.names(root).contains(TestPath("\(server)").name))",
                                failure { _ = try Sys.facts(root / "\(server)") }?.name ?? "seen",
                                failure { _ = try Sys.text(root / "\(server)/comm") }?.name ?? "read",
                                failure { _ = try Sys.names(root / "\(server)/fd") }?.name ?? "listed",
                            ]
                        }
                    }
                    #expect(seen[1] == seen[0], "\(option) as \(caller)")
                }
            }
        }
    }
}

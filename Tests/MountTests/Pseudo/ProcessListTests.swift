import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Who is moved by what is written to a list of processes: through the union whoever is meant, as directly.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ProcessListTests {
    static let lists: [(version: CgroupTests.Version, file: TestPath)] = [
        (.v2, "cgroup.procs"), (.v2, "cgroup.threads"), (.v1, "cgroup.procs"), (.v1, "tasks"),
    ].filter { CgroupTests.versions.contains($0.0) }

    /// A union over a group with `A`, which everybody may write, and a server outside.
    private func withOpenGroup(
        _ version: CgroupTests.Version, _ file: TestPath, _ body: (Union, Cgroup, Int32) throws -> Void
    ) throws {
        try CgroupTests().withCgroupUnion(version, name: "lists") { union, group throws in
            for path in ["cgroup.procs", file, "A/cgroup.procs", "A" / file] as [TestPath] {
                try Sys.changeMode(group.path / path, 0o666)
            }
            try body(union, group, try #require(union.process))
        }
    }

    /// The answer with numbers of processes and of namespaces left out.
    private static func plain(_ answer: String) -> String {
        answer.split(separator: " ").filter { !$0.hasPrefix("0::/") || $0.contains("switchfs-test") }
            .joined(separator: " ")
    }

    @Test(arguments: lists.indices)
    func movesWhoIsMeant(list: Int) throws {
        let (version, file) = Self.lists[list]
        try withOpenGroup(version, file) { union, group, server throws in
            let before = try ServerState(of: server)
            var answers: Set<String> = []
            for actor in Actor.all {
                for text in [
                    "0\n", " 0x00 ", "self", "other", "1\n", "99999999\n", "-1\n", "0 0\n", "\n", "x\n",
                ] {
                    // Process 1 isn't the test's to move, but where it is another one.
                    if text == "1\n", !actor.name.contains("pid") { continue }
                    let outcomes = try [group.path, union.mount].map { root throws in
                        Self.plain(try actor.writing(text, to: root / "A" / file))
                    }
                    #expect(outcomes[1] == outcomes[0], "\(file) of \(version), \(actor) writes \(text)")
                    #expect(try ServerState(of: server) == before, "\(actor) writes \(text)")
                    answers.insert(outcomes[0])
                }
            }
            // Threads of a group that isn't threaded come from nowhere but there.
            let isThreads = file == "cgroup.threads"
            #expect(
                answers.contains {
                    isThreads ? $0.hasPrefix("EOPNOTSUPP") : $0.hasPrefix("ok") && $0.contains("/A")
                })
        }
    }

    /// Nothing but its number moves the server, and that only for who could move it directly.
    @Test(arguments: lists.indices)
    func theServerByItsNumber(list: Int) throws {
        let (version, file) = Self.lists[list]
        try withOpenGroup(version, file) { union, group, server throws in
            let before = try ServerState(of: server)
            let home = try home(of: server, version)
            for number in [server] + (try lastingThreads(of: server)).prefix(2) {
                for actor in Actor.all {
                    let outcomes = try [group.path, union.mount].map { root throws in
                        let answer = try actor.writing("\(number)\n", to: root / "A" / file)
                        let state = try Sys.text("/proc/\(server)/task/\(number)/cgroup").contains(
                            group.path.name.text)
                        try Sys.overwrite(home / "cgroup.procs", "\(server)\n")
                        return "\(Self.plain(answer)) \(state)"
                    }
                    #expect(outcomes[1] == outcomes[0], "\(actor) writes the server's \(number) to \(file)")
                    #expect(try ServerState(of: server) == before)
                }
            }
        }
    }

    /// The group that a process is in.
    private func home(of process: Int32, _ version: CgroupTests.Version) throws -> TestPath {
        let hierarchy = try #require(version.hierarchy)
        let options = Machine.mounts.first { $0.path == hierarchy }?.options.split(separator: ",") ?? []
        for line in try Sys.text("/proc/\(process)/cgroup").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            let isIt = version == .v2 ? parts[1].isEmpty : options.contains(parts[1])
            if isIt { return hierarchy + String(parts[2]) }
        }
        throw FixtureError("process \(process) is in no group of \(hierarchy)")
    }

    /// What is read are the numbers of the reader's namespace.
    @Test(arguments: lists.indices)
    func numbersAreTheReaders(list: Int) throws {
        let (version, file) = Self.lists[list]
        try withOpenGroup(version, file) { union, group, _ throws in
            let sleeper = try group.sleeper()
            try Sys.overwrite(group.path / "A/cgroup.procs", "\(sleeper.pid)\n")
            for actor in Actor.all {
                let seen = try [group.path, union.mount].map { try actor.reading($0 / "A" / file) }
                #expect(seen[1] == seen[0], "\(file) of \(version) read by \(actor)")
            }
            #expect(try Actor.all[0].reading(union["A"] / file) == "ok:\(sleeper.pid)\n")
            sleeper.end()
        }
    }

    /// Any other way of bringing a 0 there.
    @Test(arguments: CgroupTests.versions)
    func otherWaysOfWriting(version: CgroupTests.Version) throws {
        try withOpenGroup(version, "cgroup.procs") { union, group, server throws in
            let before = try ServerState(of: server)
            try Sys.put(union["zero"], "0\n")
            let target = union["A/cgroup.procs"]
            for command in [
                "cat \(union["zero"]) >\(target)", "cp \(union["zero"]) \(target)",
                "tee \(target) <\(union["zero"])",
                "dd if=\(union["zero"]) of=\(target) 2>&1", "echo 0 >>\(target)",
            ] {
                try shell(command).orThrow()
                #expect(try ServerState(of: server) == before, "\(command)")
            }
            _ = group
        }
    }

    /// A list that is mounted under another name isn't known for one: it takes nothing.
    @Test(arguments: CgroupTests.versions)
    func aListByAnotherName(version: CgroupTests.Version) throws {
        try withCgroup(in: version.hierarchy, "named-\(version)") { group throws in
            try withScratch { scratch throws in
                let layer = try scratch.tree("layer", ["switch": .file("")])
                try Sys.mount(
                    (group.path / "cgroup.procs").text, on: layer / "switch", type: "none", flags: 4096)
                defer { try? Sys.unmount(layer / "switch", lazily: true) }
                try withUnion(in: scratch, upper: nil, lowers: [layer]) { union throws in
                    let before = try ServerState(of: try #require(union.process))
                    #expect(failure { try Sys.overwrite(union["switch"], "0\n") } == .notPermitted)
                    #expect(try Sys.text(union["switch"]) == "")
                    #expect(try ServerState(of: try #require(union.process)) == before)
                }
            }
        }
    }

    /// Descriptors in the text would be the server's.
    @Test(.enabled(if: CgroupTests.versions.contains(.v1), "needs a writable cgroup v1"))
    func eventControlTakesNoDescriptors() throws {
        let name: TestPath = "cgroup.event_control"
        guard let memory = Machine.mounts.first(where: { $0.type == "cgroup" && Sys.exists($0.path / name) })
        else {
            return print("no \(name) here")
        }
        try withScratch { scratch throws in
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [memory.path]) { union throws in
                #expect(failure { try Sys.overwrite(union[name], "3 4\n") } == .badFileDescriptor)
            }
        }
    }

    /// A caller in another pid namespace gets signals all the time. None costs it a write, or the answer to one.
    @Test(.enabled(if: Machine.hasProgram("unshare") && !lists.isEmpty, "needs unshare and cgroups"))
    func signalsWhileAnAgentCalls() throws {
        let (version, file) = Self.lists[0]
        try withOpenGroup(version, file) { union, group, _ throws in
            let script = """
                trap : USR1
                while kill -USR1 $$; do :; done 2>/dev/null &
                for round in $(seq 100); do echo 0 >\(union["A"] / file) || exit 1; done
                kill -KILL $!
                """
            try run("unshare", "-pf", "--kill-child", "bash", "-c", script).orThrow()
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What tools do to files that they take for ordinary ones: a control file stays the layer's, whatever they try.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ControlFileToolTests {
    /// Each with a file beside, `note`, and the control file, which they mean to replace or to change.
    static let tools: [(name: String, script: String)] = [
        ("sed -i", "sed -i 's/./&/' FILE"), ("mv", "mv note FILE"), ("mv -f", "mv -f note FILE"),
        ("cp --remove-destination", "cp --remove-destination note FILE"), ("ln", "ln note FILE"),
        ("ln -f", "ln -f note FILE"), ("ln -s", "ln -s note FILE"), ("ln -sf", "ln -sf note FILE"),
        ("install", "install note FILE"), ("write aside", "cat FILE >FILE.new && mv FILE.new FILE"),
        ("backup by rename", "mv FILE FILE~"), ("backup by link", "ln FILE FILE~"), ("rm", "rm -f FILE"),
        ("exchange", "mv --exchange note FILE"), ("truncate", "truncate -s 0 FILE"),
        ("vim", "ex -sc 'x!' FILE"),
        ("rsync", "rsync note FILE"),
    ]

    /// The program that a tool needs, where it isn't one that every machine has.
    private static func isMissing(_ tool: String) -> Bool {
        let needed = ["vim": "ex", "rsync": "rsync"][tool]
        return needed.map { !Machine.hasProgram($0) } ?? false
    }

    /// What files the upper has, but for what the tool was given.
    private func left(in union: Union) throws -> [String] {
        try run("find", union.inUpper("").text, "!", "-type", "d", "!", "-name", "note").orThrow().output
            .split(separator: "\n").map(String.init)
    }

    private func check(_ file: TestPath, in layer: TestPath, _ union: Union) throws {
        guard Sys.exists(layer / file) else { return print("no \(file) here") }
        let value = try Sys.text(layer / file)
        for (tool, script) in Self.tools {
            if Self.isMissing(tool) {
                print("no \(tool) here")
                continue
            }
            try Sys.put(union[file].parent / "note", value)
            let command = script.replacing("FILE", with: file.name.text)
            let done = try shell("\(command)", in: union[file].parent)
            #expect(try Sys.text(union[file]) == value, "\(tool) on \(file): \(done.errors)")
            #expect(try Sys.text(layer / file) == value, "\(tool) on \(file)")
            #expect(try Sys.xattrText(union[file], "user.switchfs.layer") == "1", "\(tool) on \(file)")
            // What a tool puts aside under a name of its own is the tool's.
            let remains = try left(in: union).filter { !$0.hasSuffix(".new") }
            #expect(remains == [], "\(tool) on \(file)")
            try? Sys.unlink(union[file] + ".new")
            try? Sys.unlink(union[file].parent / "note")
        }
    }

    @Test(arguments: CgroupTests.versions)
    func ofCgroups(version: CgroupTests.Version) throws {
        try CgroupTests().withCgroupUnion(version, name: "tools") { union, group throws in
            let file: TestPath = version == .v2 ? "A/cgroup.max.depth" : "A/notify_on_release"
            try check(file, in: group.path, union)
        }
    }

    @Test func ofProcAndSysfs() throws {
        try withScratch { scratch throws in
            let (proc, sysfs) = (try scratch.proc("proc"), try scratch.sysfs("sysfs"))
            for (name, layer, file) in [
                ("one", proc, "sys/vm/swappiness"), ("two", sysfs, "kernel/mm/ksm/pages_to_scan"),
            ] as [(TestPath, TestPath, TestPath)] {
                let upper = try scratch.directory("upper" + name.text)
                try withUnion(in: scratch, name: name, upper: upper, lowers: [layer]) {
                    try check(file, in: layer, $0)
                }
            }
        }
    }

    /// In place, it is the file that is written.
    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a writable cgroup v2"))
    func writingInPlace() throws {
        try CgroupTests().withCgroupUnion(.v2, name: "tools") { union, group throws in
            let file: TestPath = "A/cgroup.max.depth"
            try Sys.put(union["A/note"], "7\n")
            var commands = [
                "echo 3 >FILE", "echo 4 | tee FILE", "cp note FILE", "dd if=note of=FILE conv=notrunc 2>&1",
                "cat note >>FILE",
            ]
            if Machine.hasProgram("rsync") { commands.append("rsync --inplace note FILE") }
            for command in commands {
                try Sys.overwrite(group.path / file, "max\n")
                try shell(command.replacing("FILE", with: file.name.text), in: union["A"]).orThrow()
                #expect(try Sys.text(group.path / file) != "max\n", "\(command)")
                #expect(try Sys.text(union[file]) == Sys.text(group.path / file))
            }
            #expect(try left(in: union) == [])
        }
    }

    /// A group with notes can't be moved elsewhere, in the second version nowhere: that is said first, and nothing is done.
    @Test(arguments: CgroupTests.versions)
    func aGroupWithNotesStays(version: CgroupTests.Version) throws {
        try CgroupTests().withCgroupUnion(version, name: "tools") { union, group throws in
            try Sys.put(union["A/note"], "text")
            try Sys.makeDirectory(union["plain"])
            // The first version's groups can have another name (`MergedRenameTests`).
            let targets: [TestPath] = version == .v2 ? ["A2", "plain/A"] : ["plain/A"]
            for target in targets {
                #expect(failure { try Sys.rename(union["A"], union[target]) } == .notPermitted)
                let moved = try run("mv", union["A"].text, union[target].text)
                #expect(!moved.succeeded)
                #expect(!Sys.exists(union[target]) && !Sys.exists(union.inUpper(target)))
            }
            // The same of one that only the lower has, to where it can't be.
            #expect(failure { try Sys.rename(union["A/B"], union["plain/B"]) } == .notPermitted)
            #expect(try !run("mv", union["A/B"].text, union["plain/B"].text).succeeded)
            #expect(try Sys.names(union["plain"]) == [])
            #expect(try Sys.text(union["A/note"]) == "text")
            #expect(Sys.exists(group.path / "A/B/cgroup.procs"))
        }
    }

    /// As a manager of services or containers goes about it, by the union alone.
    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a writable cgroup v2"))
    func aManagersDay() throws {
        try withCgroup(in: Machine.cgroup2, "manager") { group throws in
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path], options: ["mkdir=lower"]) {
                    union throws in
                    let server = try #require(union.process)
                    let before = try ServerState(of: server)
                    for byNumber in [false, true] {
                        try manage(union, group, byNumber: byNumber)
                        #expect(try ServerState(of: server) == before)
                    }
                    #expect(try Sys.names(union.inUpper("")) == [])
                }
            }
        }
    }

    private func manage(_ union: Union, _ group: Cgroup, byNumber: Bool) throws {
        try Sys.makeDirectories(union["box/inner"])
        #expect(Sys.exists(group.path / "box/inner/cgroup.procs"))
        let number = byNumber ? "$$" : "0"
        let member = try Child([
            "sh", "-c", "echo \(number) >\(union["box/inner/cgroup.procs"]); exec sleep 600",
        ])
        // Whatever happens, nothing stays frozen.
        defer { try? Sys.overwrite(group.path / "box/cgroup.freeze", "0\n") }
        try eventually("it is in the group") {
            try Cgroup.processes(union["box/inner"]) == [member.pid]
        }
        if let controller = try Sys.text(union["cgroup.controllers"]).split(whereSeparator: \.isWhitespace)
            .first
        {
            try Sys.overwrite(union["cgroup.subtree_control"], "+\(controller)\n")
            #expect(try Sys.text(union["box/cgroup.controllers"]).contains(controller))
            try Sys.overwrite(union["cgroup.subtree_control"], "-\(controller)\n")
        }
        try Sys.overwrite(union["box/cgroup.freeze"], "1\n")
        try eventually("it is frozen") { try Sys.text(union["box/cgroup.events"]).contains("frozen 1") }
        #expect(try Sys.text(union["box/inner/cgroup.events"]).contains("frozen 1"))
        try Sys.overwrite(union["box/cgroup.freeze"], "0\n")
        #expect(failure { try Sys.removeDirectory(union["box/inner"]) } == .resourceBusy)
        if Sys.exists(union["box/cgroup.kill"]) {
            try Sys.overwrite(union["box/cgroup.kill"], "1\n")
            #expect(try member.wait(within: 60) == .signalled(SIGKILL))
        }
        member.end()
        try eventually("it is empty") { try Sys.text(union["box/cgroup.events"]).contains("populated 0") }
        try Sys.removeDirectory(union["box/inner"])
        try Sys.removeDirectory(union["box"])
        #expect(!Sys.exists(group.path / "box"))
    }
}

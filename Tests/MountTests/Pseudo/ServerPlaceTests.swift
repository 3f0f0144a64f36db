import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Where a server is, and what it keeps busy.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ServerPlaceTests {
    /// The union of a group, its server started by a shell that first goes somewhere.
    private func withServer(
        startedBy script: String, lower: TestPath, _ scratch: Scratch, _ body: (Union) throws -> Void
    ) throws {
        let launcher = ["sh", "-c", "\(script); exec \"$@\"", "sh"]
        try withUnion(in: scratch, upper: nil, lowers: [lower], launcher: launcher, body)
    }

    @Test(arguments: CgroupTests.versions)
    func itsGroupIsSaid(version: CgroupTests.Version) throws {
        try withCgroup(in: version.hierarchy, "place-\(version)") { group throws in
            let (inside, outside) = (try group.make("layer/server"), try group.make("outside"))
            for (place, isWarned) in [(inside, true), (outside, false)] {
                try withScratch { scratch throws in
                    let script = "echo 0 >\(place)/cgroup.procs"
                    try withServer(startedBy: script, lower: group.path / "layer", scratch) { union throws in
                        let status = try union.command("status", union.mount.text).orThrow().output
                        #expect(
                            status.contains("\(group.path.name)/\(isWarned ? "layer/server" : "outside")"))
                        #expect(status.contains("warning") == isWarned)
                        #expect(union.messages.contains("warning") == isWarned)
                        let json = try union.command("status", "--json", union.mount.text).orThrow().output
                        #expect(json.contains("\"cgroups\""))
                        #expect(
                            json.contains("\"layer\" : 0") == isWarned
                                || json.contains("\"layer\":0") == isWarned)
                        let plan = "lowerdir=\(group.path / "layer")"
                        let command = "\(script); exec \(Machine.binary) doctor -o \(plan)"
                        let doctor = try shell(command).orThrow().output
                        let line = doctor.split(separator: "\n").first { $0.contains(" cgroup ") } ?? ""
                        #expect(line.contains("warning") == isWarned, "\(line)")
                        // The group is the test's to remove.
                        let home = try #require(version.hierarchy) / "cgroup.procs"
                        try Sys.overwrite(home, "\(try #require(union.process))\n")
                    }
                }
            }
        }
    }

    /// No thread stays in the directory that the program was started in, or in a filesystem's that was there.
    @Test func theStartDirectoryIsFree() throws {
        try withScratch { scratch throws in
            let lower = try scratch.directory("lower")
            let place = try scratch.tmpfs("place")
            try withServer(startedBy: "cd \(place)", lower: lower, scratch) { union throws in
                for _ in 0..<50 { _ = try Sys.names(union.mount) }
                let tasks = TestPath("/proc/\(try #require(union.process))/task")
                for task in try Sys.names(tasks) where Int32(task.text) != nil {
                    // The mount is there a moment before its server has settled.
                    try eventually("\(task) is elsewhere") {
                        Sys.exists(tasks / task) == false || (try? Sys.readLink(tasks / task / "cwd")) == "/"
                    }
                }
                try Sys.unmount(place)
                try Sys.mount("tmpfs", on: place, type: "tmpfs")
            }
        }
    }

    /// Acting elsewhere needs processes of its own, which go with the server.
    @Test func nothingOutlivesIt() throws {
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: nil, lowers: [proc]) { union throws in
                let server = try #require(union.process)
                for actor in Actor.all { _ = try actor.reading(union["\(server)/maps"]) }
                let children =
                    try Sys.text("/proc/\(server)/task/\(server)/children")
                    + Sys.names("/proc/\(server)/task").map {
                        (try? Sys.text("/proc/\(server)/task" / $0 / "children")) ?? ""
                    }.joined(separator: " ")
                let agents = Set(children.split(separator: " ").compactMap { Int32($0) })
                #expect(agents.count == 1)
                union.crash()
                try eventually("they are gone") { agents.allSatisfy { !Sys.exists("/proc/\($0)/maps") } }
            }
        }
    }
}

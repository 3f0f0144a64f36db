import Glibc
import SwitchTestKit

/// What monitors and managers of cgroups do, over a live tree.
enum CgroupWorkloads {
    static var all: [Workload] {
        guard Machine.cgroup2 != nil else { return [] }
        let groups = Fixtures.cgroupNames
        let known = NameList(groups.map { "\($0)/cgroup.procs" })
        let missing = NameList(groups.map { "\($0)/none" })
        let events = NameList(groups.map { "\($0)/cgroup.events" })
        let scanned = NameList(groups.flatMap { group in scannedFiles.map { "\(group)/\($0)" } })
        let limits = NameList(groups.map { "\($0)/cgroup.max.depth" })
        return [
            workload("stat", "stat of a control file in each of \(groups.count) cgroups, again") { root in
                try expect(Calls.stat(root, known), known.count, "files")
            },
            workload("missing", "stat of a missing name in each, again") { root in
                try expect(Calls.statMissing(root, missing), missing.count, "missing names")
            },
            workload("list", "listing of each, again") { root in
                for group in groups where try Calls.list(root, group) < 10 {
                    throw FixtureError("\(group) lacks files")
                }
            },
            walk(groups),
            workload("read", "open, read to the end and close of cgroup.events in each") { root in
                try expectBytes(Calls.readWhole(root, events), atLeast: 20 * groups.count)
            },
            workload("scan", "the same of 12 files in each, as an exporter does") { root in
                try expectBytes(Calls.readWhole(root, scanned), atLeast: 200 * groups.count)
            },
            workload("write", "open, write and close of cgroup.max.depth in each") { root in
                try expect(Calls.write("7\n", root, limits), limits.count, "writes")
            },
        ]
    }

    private static let scannedFiles = [
        "cgroup.controllers", "cgroup.events", "cgroup.freeze", "cgroup.max.depth", "cgroup.max.descendants",
        "cgroup.procs", "cgroup.stat", "cgroup.subtree_control", "cgroup.threads", "cgroup.type", "cpu.stat",
        "cpu.pressure",
    ]

    private static func expectBytes(_ found: Int, atLeast wanted: Int) throws {
        if found < wanted { throw FixtureError("\(found) bytes, not \(wanted) or more") }
    }

    private static func walk(_ groups: [String]) -> Workload {
        Workload(
            name: "cgroup-walk", summary: "find over \(groups.count) cgroups, again",
            fixture: Fixtures.cgroups, leavesOut: [.floor]
        ) { site in
            let output = try Program.outputFile(in: site.supplies.root)
            return .time(
                try site.laterPasses {
                    _ = try Program.time(Program.walk([site.root.text]), output: output)
                })
        }
    }

    private static func workload(
        _ name: String, _ summary: String, _ pass: @escaping @Sendable (Handle) throws -> Void
    ) -> Workload {
        Workload(
            name: "cgroup-" + name, summary: summary, fixture: Fixtures.cgroups, leavesOut: [.floor]
        ) { site in
            let root = try Sys.open(site.root, O_RDONLY | Flag.directory)
            return .time(try site.laterPasses { try pass(root) })
        }
    }
}

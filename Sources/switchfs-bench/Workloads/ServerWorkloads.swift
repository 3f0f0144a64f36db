import Glibc
import SwitchTestKit

/// What a server costs besides time: memory, wake-ups, and until it is there. The kernel's own unions have none.
enum ServerWorkloads {
    static func all(_ size: Size) -> [Workload] { [footprint(size), idle(size), mount(size)] }

    private static func footprint(_ size: Size) -> Workload {
        let names = NameList(Fixtures.walkedNames(size))
        return Workload(
            name: "footprint", summary: "the server before and after a stat of \(names.count) files",
            fixture: Fixtures.walked(size), isTimed: false, rounds: 1, leavesOut: [.floor]
        ) { site in
            guard let process = site.process else { return Sample() }
            let root = try Sys.open(site.root, O_RDONLY | Flag.directory)
            let before = try ServerFacts(process: process)
            let time = try seconds { try expect(Calls.stat(root, names), names.count, "files") }
            let after = try ServerFacts(process: process)
            let grown = Double(after.residentBytes - before.residentBytes)
            return Sample(figures: [
                Figure(name: "resident, just mounted", unit: "MiB", value: mebibytes(before.residentBytes)),
                Figure(name: "resident, after", unit: "MiB", value: mebibytes(after.residentBytes)),
                Figure(name: "grown, an inode", unit: "bytes", value: grown / Double(names.count)),
                Figure(name: "open files, after", unit: "", value: Double(after.descriptors)),
                Figure(name: "stat", unit: "µs", value: time / Double(names.count) * 1e6),
            ])
        }
    }

    private static func mebibytes(_ bytes: Int) -> Double { Double(bytes) / Double(1 << 20) }

    private static let idleSeconds = 2.0

    private static func idle(_ size: Size) -> Workload {
        let names = NameList(Fixtures.statNames(size))
        return Workload(
            name: "idle",
            summary: "the server in 2 s without a request, after a stat of \(names.count) files",
            fixture: Fixtures.stat(size, lowers: 1), isTimed: false, rounds: 2
        ) { site in
            guard let process = site.process else { return Sample() }
            let root = try Sys.open(site.root, O_RDONLY | Flag.directory)
            try expect(Calls.stat(root, names), names.count, "files")
            // What the last request leaves to do ends: files get their watches after 0.7 s.
            usleep(2_000_000)
            let before = try ServerFacts(process: process)
            usleep(UInt32(idleSeconds * 1e6))
            let after = try ServerFacts(process: process)
            let time = Double(after.processorTime - before.processorTime) / 1e6
            return Sample(figures: [
                Figure(
                    name: "context switches", unit: "1/s",
                    value: Double(after.switches - before.switches) / idleSeconds),
                Figure(name: "processor", unit: "ms/s", value: time / idleSeconds),
            ])
        }
    }

    private static func mount(_ size: Size) -> Workload {
        Workload(
            name: "mount", summary: "from the start of the server to the first answer at the root",
            fixture: Fixtures.stat(size, lowers: 1), isTimed: false, leavesOut: [.floor]
        ) { site in
            Sample(figures: [Figure(name: "time", unit: "ms", value: site.startSeconds * 1e3)])
        }
    }
}

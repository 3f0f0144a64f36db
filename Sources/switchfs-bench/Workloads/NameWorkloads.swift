import Glibc
import SwitchTestKit

/// Looking names up, and opening what they name.
enum NameWorkloads {
    static func all(_ size: Size) -> [Workload] {
        [1, 2, 8, 20].flatMap { stats(size, lowers: $0) }
            + [statByTwo(size), statMissingCold(size), openAndClose(size)] + smallFiles(size)
    }

    private static func stats(_ size: Size, lowers: Int) -> [Workload] {
        let fixture = Fixtures.stat(size, lowers: lowers)
        let names = NameList(Fixtures.statNames(size))
        let suffix = lowers == 1 ? "" : "-\(lowers)"
        let over = lowers == 1 ? "" : ", \(lowers) lowers"
        return [
            Workload(
                name: "stat-warm" + suffix, summary: "stat of \(names.count) files again\(over)",
                fixture: fixture
            ) { site in
                let root = try open(site)
                return .time(
                    try site.laterPasses { try expect(Calls.stat(root, names), names.count, "files") })
            },
            Workload(
                name: "stat-cold" + suffix,
                summary: "stat of \(names.count) files, first after mounting\(over)",
                fixture: fixture
            ) { site in
                let root = try open(site)
                return .time(
                    try site.firstPass { try expect(Calls.stat(root, names), names.count, "files") })
            },
            Workload(
                name: "stat-missing" + suffix, summary: "stat of 1,000 names that aren't there, again\(over)",
                fixture: fixture
            ) { site in
                let root = try open(site)
                return .time(
                    try site.laterPasses {
                        try expect(Calls.statMissing(root, missing), missing.count, "missing names")
                    })
            },
        ]
    }

    private static let missing = NameList(
        (0..<1000).map { "a/d\($0 % Fixtures.statDirectories)/no-\($0)" })

    private static func statByTwo(_ size: Size) -> Workload {
        let names = Fixtures.statNames(size)
        let middle = names.count / 2
        let halves = [names[..<middle], names[middle...]].map { NameList(Array($0)) }
        return Workload(
            name: "stat-cold-parallel",
            summary: "stat of \(names.count) files by 2 threads, half each, first after mounting",
            fixture: Fixtures.stat(size, lowers: 1)
        ) { site in
            let path = site.root
            return .time(
                try site.firstPass {
                    try Clients.run(2) { client in
                        let root = try Sys.open(path, O_RDONLY | Flag.directory)
                        try expect(Calls.stat(root, halves[client]), halves[client].count, "files")
                    }
                })
        }
    }

    /// As a search path or an include path does.
    private static func statMissingCold(_ size: Size) -> Workload {
        let times = 8
        return Workload(
            name: "stat-missing-cold",
            summary: "stat of 1,000 names that aren't there, \(times) times, first after mounting",
            fixture: Fixtures.stat(size, lowers: 1)
        ) { site in
            let root = try open(site)
            return .time(
                try site.firstPass {
                    for _ in 0..<times {
                        try expect(Calls.statMissing(root, missing), missing.count, "missing names")
                    }
                })
        }
    }

    private static func openAndClose(_ size: Size) -> Workload {
        let names = NameList(Fixtures.statNames(size))
        return Workload(
            name: "open", summary: "open and close of \(names.count) files, known already",
            fixture: Fixtures.stat(size, lowers: 1)
        ) { site in
            let root = try open(site)
            return .time(
                try site.laterPasses { try expect(Calls.openAndClose(root, names), names.count, "files") })
        }
    }

    private static func smallFiles(_ size: Size) -> [Workload] {
        let names = NameList(Fixtures.smallNames(size))
        let bytes = names.count * Fixtures.smallFileBytes
        return [
            Workload(
                name: "small-cold", summary: "\(names.count) files of 4 KiB read whole, first after mounting",
                fixture: Fixtures.small(size)
            ) { site in
                let root = try open(site)
                return .time(
                    try site.firstPass { try expect(Calls.readWhole(root, names), bytes, "bytes") })
            },
            Workload(
                name: "small", summary: "\(names.count) files of 4 KiB read whole, again",
                fixture: Fixtures.small(size)
            ) { site in
                let root = try open(site)
                return .time(
                    try site.laterPasses { try expect(Calls.readWhole(root, names), bytes, "bytes") })
            },
        ]
    }

    private static func open(_ site: Site) throws -> Handle {
        try Sys.open(site.root, O_RDONLY | Flag.directory)
    }
}

import Glibc
import SwitchTestKit

/// Making, renaming and removing entries of a merged directory.
enum MakingWorkloads {
    static func all(_ size: Size) -> [Workload] {
        let names = NameList((0..<size.madeEntries).map { "made-\($0)" })
        let others = NameList((0..<size.madeEntries).map { "renamed-\($0)" })
        // Few: ext4 looks for another part of the disk where a directory has many directories.
        let directories = NameList((0..<size.madeEntries / 5).map { "made-\($0)" })
        return [
            workload("create", "creating \(names.count) files and unlinking them") { place in
                try expect(Calls.create(place, names), names.count, "files made")
                try expect(Calls.unlink(place, names), names.count, "files unlinked")
            },
            workload("mkdir", "making \(directories.count) directories and removing them") { place in
                try expect(Calls.makeDirectories(place, directories), directories.count, "directories made")
                try expect(
                    Calls.removeDirectories(place, directories), directories.count, "directories removed")
            },
            rename(names, others),
        ]
    }

    private static func workload(
        _ name: String, _ summary: String, _ pass: @escaping @Sendable (Handle) throws -> Void
    ) -> Workload {
        Workload(
            name: name, summary: summary, fixture: Fixtures.making, changesUpper: true,
            measure: { site in
                let place = try open(site)
                // Once a mount: what was removed makes what is made afterwards slower on some file systems.
                return .time(try site.onlyPass { try pass(place) })
            },
            verify: { layers, _ in try expect(present(in: layers), 0, "entries left in the upper") })
    }

    private static func rename(_ names: NameList, _ others: NameList) -> Workload {
        Workload(
            name: "rename", summary: "renaming \(names.count) files of the upper, there and back",
            fixture: Fixtures.making, changesUpper: true,
            measure: { site in
                let place = try open(site)
                try expect(Calls.create(place, names), names.count, "files made")
                return .time(
                    try site.laterPasses {
                        try expect(Calls.rename(place, names, others), names.count, "files renamed")
                        try expect(Calls.rename(place, others, names), names.count, "files renamed back")
                    })
            },
            verify: { layers, _ in
                try expect(present(in: layers), names.count, "files in the upper")
            })
    }

    /// What the upper holds; a union may leave whiteouts.
    private static func present(in layers: Layers) throws -> Int {
        try Sys.list(layers.upper / "w").count { $0.kind != .character }
    }

    private static func open(_ site: Site) throws -> Handle {
        try Sys.open(site.root / "w", O_RDONLY | Flag.directory)
    }
}

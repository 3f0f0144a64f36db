import Glibc
import SwitchTestKit

/// Listing one big directory.
enum ListingWorkloads {
    static func all(_ size: Size) -> [Workload] {
        ["pure", "merged"].flatMap { kind in
            [
                workload(size, kind, "cold", "first after mounting") { try $0.firstPass($1) },
                workload(size, kind, "warm", "again") { try $0.laterPasses($1) },
            ]
        }
    }

    private static func workload(
        _ size: Size, _ kind: String, _ state: String, _ when: String,
        _ time: @escaping @Sendable (Site, () throws -> Void) throws -> Double
    ) -> Workload {
        Workload(
            name: "list-\(kind)-\(state)",
            summary: "listing of a \(kind) directory of \(size.listedEntries), \(when)",
            fixture: Fixtures.listing(size)
        ) { site in
            let root = try Sys.open(site.root, O_RDONLY | Flag.directory)
            // `.` and `..` are entries, too.
            return .time(
                try time(site) { try expect(Calls.list(root, kind), size.listedEntries + 2, "entries") })
        }
    }
}

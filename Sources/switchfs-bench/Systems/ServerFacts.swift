import SwitchTestKit

/// What a server's process uses, as /proc tells.
struct ServerFacts {
    var residentBytes = 0
    var descriptors = 0
    /// Voluntary and other context switches of all threads, since they began.
    var switches = 0
    /// Time on a processor of all threads, in nanoseconds.
    var processorTime = 0

    init(process: Int32) throws {
        residentBytes = try Self.number("VmRSS:", in: "/proc/\(process)/status") * 1024
        descriptors = try Sys.list("/proc/\(process)/fd").count
        for thread in try Sys.list("/proc/\(process)/task") {
            let place = TestPath("/proc/\(process)/task") / thread.name
            switches += try Self.number("voluntary_ctxt_switches:", in: place / "status")
            switches += try Self.number("nonvoluntary_ctxt_switches:", in: place / "status")
            let schedule = try Sys.text(place / "schedstat").split(separator: " ")
            processorTime += schedule.first.flatMap { Int($0) } ?? 0
        }
    }

    private static func number(_ label: String, in path: TestPath) throws -> Int {
        for line in try Sys.text(path).split(separator: "\n") where line.hasPrefix(label) {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count > 1, let number = Int(words[1]) { return number }
        }
        throw FixtureError("\(path) has no \(label)")
    }
}

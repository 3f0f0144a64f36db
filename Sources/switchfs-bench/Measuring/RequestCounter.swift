import FoundationEssentials
import Glibc
import SwitchTestKit

/// What the kernel asks a mount's server in each of several passes, as `switchfs status` counts.
final class RequestCounter {
    /// Requests by FUSE's names.
    typealias Counts = [String: Int]

    private struct Status: Decodable {
        struct Counters: Decodable { var requests: Counts }
        var counters: Counters
    }

    /// So many passes show whether the kernel asks once, twice or always.
    private static let usual = 3

    private let command: [String]
    private(set) var passes: [Counts] = []

    init(program: String, mount: TestPath) {
        command = [program, "status", "--json", mount.text]
    }

    /// Counts the requests of each pass. Returns 0, for a time.
    func count(passes: Int = usual, _ pass: () throws -> Void) throws -> Double {
        for _ in 0..<passes {
            let before = try settledCounts()
            try pass()
            let after = try settledCounts()
            let grown = after.map { ($0.key, $0.value - before[$0.key, default: 0]) }.filter { $0.1 > 0 }
            self.passes.append(Counts(grown) { first, _ in first })
        }
        return 0
    }

    /// The counts, when no more come: what nobody waits for, such as RELEASE, comes late.
    private func settledCounts() throws -> Counts {
        let deadline = Deadline(2)
        var last = try counts()
        while !deadline.passed {
            usleep(5000)
            let now = try counts()
            if now == last { break }
            last = now
        }
        return last
    }

    private func counts() throws -> Counts {
        let text = try SwitchTestKit.run(command).orThrow().output
        return try JSONDecoder().decode(Status.self, from: Data(text.utf8)).counters.requests
    }
}

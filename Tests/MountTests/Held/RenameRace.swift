import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage

/// Renames directories over hidden ones, each once, and tries to reach what is hidden below at once: in the same
/// thread, and in a companion that stands in the directory or holds it.
final class RenameRace: Sendable {
    struct Run: Sendable {
        enum Company: Sendable { case none, workingDirectory, descriptor }

        var old: TestPath
        var new: TestPath
        /// The directory below that holds the hidden name; empty: none.
        var inside: TestPath
        var reach: Reach
        var company: Company
        var companionsReach: Reach
    }

    static let ghost: TestPath = "ghost"

    private let union: TestPath
    private let runs: [Run]
    /// The run that the companion is to join, if any, and the one that it has joined.
    private let wanted = Atomic<Int>(-1)
    private let joined = Atomic<Int>(-1)
    private let tries = Atomic<Int>(0)
    private let found = Mutex<[String: Int]>([:])

    init(in union: TestPath, _ runs: [Run]) {
        self.union = union
        self.runs = runs
    }

    /// What was reached and how often.
    var complaints: [String: Int] { found.withLock { $0 } }
    var companionsTries: Int { tries.load(ordering: .relaxed) }

    func start() throws {
        try together([
            { @Sendable [self] in try rename() },
            { @Sendable [self] in try acting(as: .root) { try accompany() } },
        ])
    }

    private func note(_ who: String, _ complaint: String?, _ run: Run) {
        guard let complaint else { return }
        let place = run.inside == "" ? "" : " in \(run.inside)"
        found.withLock { $0["\(who) \(complaint)\(place)", default: 0] += 1 }
    }

    private func rename() throws {
        defer { wanted.store(.max, ordering: .sequentiallyConsistent) }
        for (index, run) in runs.enumerated() {
            wanted.store(run.company == .none ? -1 : index, ordering: .sequentiallyConsistent)
            if run.company != .none {
                let deadline = Deadline(60)
                while joined.load(ordering: .sequentiallyConsistent) != index {
                    if deadline.passed { throw FixtureError("the companion hasn't come") }
                }
            }
            if Sys.exists(union / run.new), run.inside == "" { _ = try Sys.list(union / run.new) }
            try Sys.rename(union / run.old, union / run.new)
            note("who renamed:", run.reach.attempt(Self.ghost, in: union / run.new / run.inside), run)
        }
    }

    private func accompany() throws {
        var run: (index: Int, handle: Handle?)?
        while true {
            let index = wanted.load(ordering: .sequentiallyConsistent)
            guard index != .max else { return }
            guard index >= 0 else {
                takeBreath()
                continue
            }
            if run?.index != index {
                let directory = union / runs[index].old
                if runs[index].company == .workingDirectory {
                    try Sys.changeDirectory(directory)
                    run = (index, nil)
                } else {
                    run = (index, try Sys.open(directory, Flag.path | Flag.directory))
                }
                joined.store(index, ordering: .sequentiallyConsistent)
            }
            let base = run?.handle.map { TestPath("/proc/self/fd/\($0.descriptor)") } ?? "."
            let place = runs[index].inside == "" ? base : base / runs[index].inside
            note("companion:", runs[index].companionsReach.attempt(Self.ghost, in: place), runs[index])
            tries.add(1, ordering: .relaxed)
        }
    }
}

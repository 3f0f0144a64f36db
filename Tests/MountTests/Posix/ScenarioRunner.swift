import SwitchTestKit
import SystemPackage

/// Runs scenarios in one tree and writes down each call's outcome and the attributes afterwards.
struct ScenarioRunner {
    var scenarios: [Scenario]
    /// Where things are set up; the same as `view` unless they are to stand in a lower.
    var ground: TestPath
    /// Where the measured calls are made.
    var view: TestPath

    func run() throws -> [[Record]] {
        for (index, scenario) in scenarios.enumerated() {
            let home = ground / "s\(index)"
            try Sys.makeDirectory(home)
            try Sys.changeMode(home, 0o777)
            for outcome in try perform(scenario.setup.map { (.root, 0, $0) }, in: home)
            where outcome.hasPrefix("E") {
                throw FixtureError("setup of \(scenario.title): \(outcome)")
            }
        }
        waitForNewTimestamp()
        return try scenarios.enumerated().map { index, scenario in
            var records: [Record] = []
            let home = view / "s\(index)"
            let before = observe(scenario.observed, in: home)
            let outcomes = try perform(scenario.steps, in: home)
            for (step, outcome) in outcomes.enumerated() {
                let (who, _, call) = scenario.steps[step]
                records.append(Record(key: "\(call) as \(who)", value: outcome))
            }
            let after = observe(scenario.observed, in: home)
            for path in scenario.observed {
                for (name, value) in facts(of: path, before, after) {
                    records.append(Record(key: "\(path) \(name)", value: value))
                }
            }
            return records
        }
    }

    /// Neighbouring calls by the same user share a thread.
    private func perform(
        _ steps: [(who: Identity, umask: UInt32, call: PosixCall)], in home: TestPath
    ) throws -> [String] {
        var outcomes: [String] = []
        var rest = steps[...]
        while let first = rest.first {
            let same = rest.prefix { $0.who == first.who && $0.umask == first.umask }
            rest = rest.dropFirst(same.count)
            outcomes += try acting(as: first.who, umask: first.umask, in: home) {
                same.map { step in
                    do {
                        return try "ok " + step.call.perform()
                    } catch {
                        return (error as? Errno)?.name ?? "\(error)"
                    }
                }
            }
        }
        return outcomes
    }

    private func observe(_ paths: [TestPath], in home: TestPath) -> [TestPath: FileFacts] {
        var all: [TestPath: FileFacts] = [:]
        for path in paths { all[path] = try? Sys.facts(home / path) }
        return all
    }

    private func facts(
        of path: TestPath, _ before: [TestPath: FileFacts], _ after: [TestPath: FileFacts]
    ) -> [(String, String)] {
        guard let now = after[path] else { return [("exists", "no")] }
        var facts = [
            ("kind", now.kind.rawValue),
            ("mode", String(now.permissions, radix: 8)),
            ("owner", "\(now.uid):\(now.gid)"),
            ("links", "\(now.links)"),
        ]
        if now.kind != .directory { facts.append(("size", "\(now.size)")) }
        if now.kind == .character || now.kind == .block { facts.append(("device", "\(now.special)")) }
        let origin = before.filter { $0.value.inode == now.inode }.map(\.key).sorted()
        facts.append(("was", origin.map(\.text).joined(separator: " ")))
        if let first = origin.first, let then = before[first] {
            facts.append(("mtime moved", "\(then.modified != now.modified)"))
            facts.append(("ctime moved", "\(then.changed != now.changed)"))
            let recent = now.modified > 1_600_000_000_000_000_000
            facts.append(("mtime", recent ? "recent" : "\(now.modified)"))
        }
        return facts
    }
}

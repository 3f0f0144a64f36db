import SwitchTestKit
import SystemPackage

/// Builds the cells of every caller in a layer, has each caller make its calls by way of `view`, and writes down
/// what came of each.
struct ParityRunner {
    let callers: [ParityCaller]
    let cells: [[ParityCell]]

    /// `every`: one cell of so many, of each caller others; no divisor of the number of calls, so that all calls
    /// and modes are among them.
    init(dataOnly: Bool = false, every: Int = 1) {
        callers = ParityCaller.allCases
        cells = callers.enumerated().map { number, caller in
            ParityMatrix.cells(of: caller).enumerated()
                .filter { ($0.offset + number) % every == 0 && (!dataOnly || $0.element.isAboutData) }
                .map(\.element)
        }
    }

    var count: Int { cells.reduce(0) { $0 + $1.count } }

    /// As root, in the layer itself.
    func build(in layer: TestPath) throws {
        for (caller, cells) in zip(callers, cells) {
            let home = layer / TestPath(caller.rawValue)
            try Sys.makeDirectory(home)
            try Sys.makeDirectory(home / "shared")
            let failures = try acting(as: .root, in: home) {
                cells.compactMap { cell -> String? in
                    for call in cell.setup {
                        do {
                            let outcome = try call.perform()
                            if outcome.hasPrefix("E") { return "\(cell.title): \(call): \(outcome)" }
                        } catch {
                            return "\(cell.title): \(call): \(error)"
                        }
                    }
                    return nil
                }
            }
            if let first = failures.first { throw FixtureError("building \(first)") }
        }
    }

    /// Each cell's outcome and facts, one line a fact.
    func run(in view: TestPath) throws -> [[[String]]] {
        let outcomes = try zip(callers, cells).map { caller, cells in
            try acting(as: caller.identity, umask: 0o022, in: view / TestPath(caller.rawValue)) {
                cells.map { $0.call.outcome() }
            }
        }
        return zip(zip(callers, cells), outcomes).map { pair, outcomes in
            zip(pair.1, outcomes).map { cell, outcome in
                [outcome] + cell.observed.map { facts(of: $0, in: view / TestPath(pair.0.rawValue)) }
            }
        }
    }

    private func facts(of path: TestPath, in home: TestPath) -> String {
        guard let facts = try? Sys.facts(home / path) else { return "\(path.name): none" }
        let size = facts.kind == .directory ? "" : " \(facts.size) bytes"
        let attribute = (try? Sys.xattrText(home / path, "user.parity")) ?? "no attribute"
        return
            "\(path.name): \(facts.kind) \(String(facts.permissions, radix: 8)) \(facts.uid):\(facts.gid) \(facts.links) links\(size) \(attribute)"
    }

    /// What differs, a line each.
    func differences(_ expected: [[[String]]], _ found: [[[String]]]) -> [String] {
        var lines: [String] = []
        for (caller, cells) in cells.enumerated() {
            for (index, cell) in cells.enumerated() {
                let pairs = zip(expected[caller][index], found[caller][index])
                for (want, have) in pairs where want != have {
                    lines.append("\(cell.title): directly \(want), through the union \(have)")
                }
            }
        }
        return lines
    }
}

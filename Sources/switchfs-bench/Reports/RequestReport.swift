/// The counted requests as a table to read.
struct RequestReport {
    let counted: [CountedWorkload]

    var text: String {
        let systems = System.allCases.filter { system in counted.contains { $0.system == system } }
        return systems.map(table).joined(separator: "\n\n")
    }

    private func table(_ system: System) -> String {
        var table = Table(header: ["requests of \(system.name)", "pass", "first what is asked most"])
        for workload in counted where workload.system == system {
            for (pass, counts) in workload.passes.enumerated() {
                table.rows.append([workload.name, "\(pass + 1)", line(counts)])
            }
        }
        return table.text
    }

    private func line(_ counts: RequestCounter.Counts) -> String {
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return counts.isEmpty ? "none" : sorted.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

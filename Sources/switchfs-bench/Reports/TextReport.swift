/// The results as tables to read.
struct TextReport {
    let results: Results

    var text: String {
        [ratios, figures, failures].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var ratios: String {
        var table = Table(header: ["time / native", "native"] + results.unions.map(\.name))
        for row in results.rows where row.isTimed {
            let native = Summary(row.native).map { Format.time($0.median) } ?? "–"
            table.rows.append([row.name, native] + results.unions.map { cell(row, $0) })
        }
        return table.rows.isEmpty ? "" : table.text
    }

    private func cell(_ row: Results.Row, _ system: System) -> String {
        let text = Summary((row.timings[system] ?? []).map(\.ratio)).map { Format.ratio($0) }
        return mark(text, row, system)
    }

    private func mark(_ text: String?, _ row: Results.Row, _ system: System) -> String {
        guard row.failures[system] != nil else { return text ?? "–" }
        return (text.map { $0 + " " } ?? "") + "failed"
    }

    private var figures: String {
        var table = Table(header: ["figure", "unit"] + results.unions.map(\.name))
        for row in results.rows where !row.isTimed {
            for figure in row.figures {
                let cells = results.unions.map { system in
                    mark(Summary(figure.values[system] ?? []).map { Format.ratio($0) }, row, system)
                }
                table.rows.append(["\(row.name): \(figure.name)", figure.unit] + cells)
            }
        }
        return table.rows.isEmpty ? "" : table.text
    }

    private var failures: String {
        let lines = results.rows.flatMap { row in
            results.systems.compactMap { system in
                row.failures[system].map { "failed: \(row.name), \(system.name): \($0)" }
            }
        }
        return lines.joined(separator: "\n")
    }
}

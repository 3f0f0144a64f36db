import FoundationEssentials

/// All that was measured, each round's values included.
struct JSONReport: Encodable {
    struct Workload: Encodable {
        var name: String
        var summary: String
        var nativeSeconds: [Double]
        var unions: [String: Union]
        var figures: [Figure]
        var failures: [String: String]
    }

    struct Union: Encodable {
        var ratio: Summary?
        var rounds: [Results.Timing]
    }

    struct Figure: Encodable {
        var name: String
        var unit: String
        var values: [String: [Double]]
    }

    var setting: Heading
    var rounds: Int
    var workloads: [Workload]

    init(heading: Heading, results: Results) {
        setting = heading
        rounds = results.rounds
        workloads = results.rows.map { row in
            Workload(
                name: row.name, summary: row.summary, nativeSeconds: row.native,
                unions: Self.named(row.timings) { Union(ratio: Summary($0.map(\.ratio)), rounds: $0) },
                figures: row.figures.map { figure in
                    Figure(name: figure.name, unit: figure.unit, values: Self.named(figure.values) { $0 })
                },
                failures: Self.named(row.failures) { $0 })
        }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    private static func named<Value, Shown>(
        _ values: [System: Value], _ show: (Value) -> Shown
    ) -> [String: Shown] {
        Dictionary(values.map { ($0.key.name, show($0.value)) }) { first, _ in first }
    }
}

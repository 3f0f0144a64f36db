/// All that was measured.
struct Results {
    /// One measurement of a union, between two of the native directory.
    struct Timing: Encodable {
        var round: Int
        var seconds: Double
        var nativeBefore: Double
        var nativeAfter: Double

        /// Time relative to the faster of the two: what disturbs only ever slows down.
        var ratio: Double { seconds / max(min(nativeBefore, nativeAfter), .leastNormalMagnitude) }
    }

    /// What one workload gave.
    struct Row {
        let name: String
        let summary: String
        let isTimed: Bool
        var native: [Double] = []
        var timings: [System: [Timing]] = [:]
        /// By name of the figure, in the order of appearance.
        var figures: [FigureRow] = []
        /// Why there is nothing, or less than there should be.
        var failures: [System: String] = [:]

        mutating func add(_ figure: Figure, _ system: System) {
            if let index = figures.firstIndex(where: { $0.name == figure.name }) {
                figures[index].values[system, default: []].append(figure.value)
            } else {
                figures.append(
                    FigureRow(name: figure.name, unit: figure.unit, values: [system: [figure.value]]))
            }
        }
    }

    struct FigureRow {
        let name: String
        let unit: String
        var values: [System: [Double]]
    }

    let systems: [System]
    var rows: [Row]
    var rounds = 0

    init(systems: [System], workloads: [Workload]) {
        self.systems = systems
        rows = workloads.map { Row(name: $0.name, summary: $0.summary, isTimed: $0.isTimed) }
    }

    var unions: [System] { systems.filter { $0 != .native } }
}

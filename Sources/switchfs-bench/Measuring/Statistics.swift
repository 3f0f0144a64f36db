/// The middle and the range of some values.
struct Summary: Equatable, Encodable {
    var minimum: Double
    var median: Double
    var maximum: Double
    var count: Int

    /// Nil for no values.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        minimum = first
        maximum = last
        count = sorted.count
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

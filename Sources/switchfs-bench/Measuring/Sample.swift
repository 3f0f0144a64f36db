/// What one measurement gave.
struct Sample {
    /// Time of one operation of the workload, in seconds; nil for those that are about something else.
    var seconds: Double?
    /// Absolute figures.
    var figures: [Figure] = []

    static func time(_ seconds: Double) -> Sample { Sample(seconds: seconds) }
}

/// An absolute figure with its unit.
struct Figure {
    var name: String
    var unit: String
    var value: Double
}

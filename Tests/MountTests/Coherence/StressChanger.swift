import SystemPackage

/// Somebody who makes random changes.
protocol StressChanger: Sendable {
    /// Returns the error, if there was one.
    mutating func step() -> Errno?
}

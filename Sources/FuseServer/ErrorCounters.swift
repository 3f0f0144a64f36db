public import SystemPackage

/// How many requests were answered with each error. ENOENT is an everyday answer; EIO is never one.
public final class ErrorCounters: Sendable {
    private let tally = Tally<136>()

    init() {}

    func count(_ error: Int32) { tally.count(UInt32(bitPattern: error)) }

    /// Those that there were, in the order of their numbers.
    public func snapshot() -> [(error: Errno, count: UInt64)] {
        tally.counts.map { (Errno(rawValue: Int32($0.number)), $0.count) }
    }
}

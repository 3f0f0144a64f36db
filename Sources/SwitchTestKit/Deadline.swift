import CTestCalls
import Glibc

/// A point in time that a wait must not pass.
public struct Deadline: Sendable {
    private let end: Int64

    /// So many seconds from now, by a clock that nobody sets.
    public init(_ seconds: Double) {
        end = tc_monotonic() + Int64(seconds * 1e9)
    }

    /// It is later.
    public var passed: Bool { tc_monotonic() >= end }
}

/// Seconds that `body` took.
public func seconds(of body: () throws -> Void) rethrows -> Double {
    let start = tc_monotonic()
    try body()
    return Double(tc_monotonic() - start) / 1e9
}

/// What went wrong in a fixture, in a sentence.
public struct FixtureError: Error, CustomStringConvertible {
    /// The sentence.
    public var description: String

    /// An error with this sentence.
    public init(_ description: String) {
        self.description = description
    }
}

/// One step of polling.
public func takeBreath() {
    usleep(1000)
}

/// Polls until `condition` holds; throws at the deadline.
public func eventually(
    _ what: String, within seconds: Double = 60, _ condition: () throws -> Bool
) throws {
    let deadline = Deadline(seconds)
    while true {
        if try condition() { return }
        if deadline.passed { throw FixtureError("not within \(seconds) s: \(what)") }
        takeBreath()
    }
}

/// Waits until the clock that file systems stamp times with has moved on.
public func waitForNewTimestamp() {
    let before = tc_coarse_time()
    while tc_coarse_time() == before { usleep(200) }
}

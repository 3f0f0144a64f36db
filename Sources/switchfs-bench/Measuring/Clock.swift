import CTestCalls
import SwitchTestKit

/// The clock that all is measured with.
enum Clock {
    /// Seconds since some point in time.
    static var now: Double { Double(tc_monotonic()) / 1e9 }
}

/// How long one measurement lasts at least, in seconds, where it can be repeated: below that the clock's and the
/// scheduler's grain show.
let shortestMeasurement = 0.02

/// Seconds of one pass, repeated until the whole took long enough.
func secondsOfPass(_ pass: () throws -> Void) rethrows -> Double {
    var total = 0.0
    var passes = 0
    repeat {
        total += try seconds(of: pass)
        passes += 1
    } while total < shortestMeasurement
    return total / Double(passes)
}

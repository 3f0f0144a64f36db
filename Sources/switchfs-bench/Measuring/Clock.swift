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

/// Seconds of the middle one of some passes, repeated until the whole took long enough: passes in which something
/// else had the processor don't count.
func secondsOfPass(_ pass: () throws -> Void) rethrows -> Double {
    var passes: [Double] = []
    var total = 0.0
    repeat {
        let seconds = try seconds(of: pass)
        passes.append(seconds)
        total += seconds
    } while total < shortestMeasurement
    return Summary(passes)?.median ?? total
}

internal import CFuse3
internal import Glibc

/// Seconds of CLOCK_MONOTONIC_COARSE, which costs a few nanoseconds.
func monotonicSeconds() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
    return UInt64(now.tv_sec)
}

func pause(milliseconds: Int) {
    var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var rest = timespec()
    while unsafe nanosleep(&time, &rest) != 0 { time = rest }
}

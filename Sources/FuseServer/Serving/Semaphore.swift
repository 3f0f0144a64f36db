internal import CFuse3
internal import Glibc

/// A counting semaphore, for threads that sleep until there is something to do: sem_overview(7).
@safe final class Semaphore: @unchecked Sendable {
    // Sendable: the kernel's and glibc's business.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func raise() { unsafe sem_post(semaphore) }

    func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
    }
}

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

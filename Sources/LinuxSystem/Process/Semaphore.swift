internal import Glibc

/// A counting semaphore, for threads that sleep until there is something to do: sem_overview(7).
@safe public final class Semaphore: @unchecked Sendable {
    // Sendable: the kernel and glibc see to that.
    private let semaphore: UnsafeMutablePointer<sem_t>

    public init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Wakes one waiting thread, or lets the next wait return at once.
    public func raise() { unsafe sem_post(semaphore) }

    /// Waits for a raise, and uses it up.
    public func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
    }

    /// The same, at most for so many milliseconds.
    public func wait(atMost milliseconds: UInt32) {
        var end = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &end)
        let nanoseconds = end.tv_nsec + Int(milliseconds) * 1_000_000
        end.tv_sec += nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        while unsafe sem_timedwait(semaphore, &end) != 0, errno == EINTR {}
    }
}

import Glibc
import Testing

/// A value behind a lock, and a condition to wait for. Of pthreads, which the thread sanitizer knows.
@safe final class Monitor<Value>: @unchecked Sendable {
    // Sendable: the value is touched under the lock alone.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: Value) {
        self.value = value
        unsafe lock = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(changed, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(lock)
        unsafe changed.deallocate()
        unsafe lock.deallocate()
    }

    func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        unsafe pthread_mutex_lock(lock)
        defer { leave() }
        return try body(&value)
    }

    /// The same again and again, whenever the value has changed, until `step` is done. What isn't after half a minute never
    /// will be: the test fails, and goes on.
    func wait<E: Error>(until step: (inout Value) throws(E) -> Bool) throws(E) {
        unsafe pthread_mutex_lock(lock)
        defer { leave() }
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += 30
        while try !step(&value) {
            let failed = unsafe pthread_cond_timedwait(changed, lock, &deadline)
            if failed == ETIMEDOUT {
                Issue.record("waited for what never came")
                return
            }
        }
    }

    private func leave() {
        unsafe pthread_cond_broadcast(changed)
        unsafe pthread_mutex_unlock(lock)
    }
}

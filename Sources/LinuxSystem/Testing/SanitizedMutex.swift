#if THREAD_SANITIZER
    internal import Glibc

    typealias Mutex<Value: ~Copyable> = SanitizedMutex<Value>

    /// Takes the place of Synchronization's `Mutex` in runs under the thread sanitizer. That mutex is made of
    /// futexes and atomics, which the sanitizer doesn't know: everything that it guards would look like a
    /// race.
    @safe package struct SanitizedMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
        private let lock: UnsafeMutablePointer<pthread_mutex_t>
        private let value: UnsafeMutablePointer<Value>

        package init(_ initial: consuming sending Value) {
            unsafe lock = .allocate(capacity: 1)
            unsafe value = .allocate(capacity: 1)
            unsafe pthread_mutex_init(lock, nil)
            unsafe value.initialize(to: initial)
        }

        deinit {
            unsafe pthread_mutex_destroy(lock)
            unsafe value.deinitialize(count: 1)
            unsafe lock.deallocate()
            unsafe value.deallocate()
        }

        package borrowing func withLock<R: ~Copyable, E: Error>(
            _ body: (inout sending Value) throws(E) -> sending R
        ) throws(E) -> sending R {
            unsafe pthread_mutex_lock(lock)
            defer { unsafe pthread_mutex_unlock(lock) }
            return try unsafe body(&value.pointee)
        }
    }
#endif

#if THREAD_SANITIZER
    internal import LinuxSystem

    /// In place of Synchronization's mutex, which the thread sanitizer doesn't know. Each file with a `Mutex`
    /// imports LinuxSystem for its sake.
    typealias Mutex<Value: ~Copyable> = SanitizedMutex<Value>
#endif

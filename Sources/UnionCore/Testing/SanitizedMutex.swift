#if THREAD_SANITIZER
    internal import LinuxSystem

    /// In place of Synchronization's: the thread sanitizer doesn't know that one. Each file with a `Mutex` imports LinuxSystem
    /// for its sake.
    typealias Mutex<Value: ~Copyable> = SanitizedMutex<Value>
#endif

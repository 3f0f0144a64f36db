internal import CLinux
internal import Synchronization
public import SystemPackage

/// A thread of the operating system, with a stack of a chosen size.
public final class WorkerThread: Sendable {
    private let core: Core
    /// Whether it was joined or detached.
    private let isSettled = Atomic<Bool>(false)

    private init(_ core: Core) { self.core = core }

    /// Starts a thread. `name` is cut at 15 bytes. `stackSize` is in bytes; 0 means the usual one. EAGAIN:
    /// there may be no more threads.
    public static func spawn(
        name: StaticString, stackSize: Int = 0, body: @escaping @Sendable () -> Void
    ) throws(Errno) -> WorkerThread {
        let core = Core(body)
        try core.start(name, stackSize)
        return WorkerThread(core)
    }

    deinit { detach() }

    /// Waits for the thread's end. Only the first call waits.
    public func join() {
        if !isSettled.exchange(true, ordering: .acquiringAndReleasing) { core.join() }
    }

    /// Lets the thread live on alone.
    public func detach() {
        if !isSettled.exchange(true, ordering: .acquiringAndReleasing) { core.detach() }
    }

    /// Tells the scheduler that the calling thread runs only shortly when it is woken. Then it needn't wait
    /// for the end of the running thread's turn, which may be some milliseconds away. (From Linux 6.12 on;
    /// before that nothing changes.)
    public static func runsShortly() {
        let slice: UInt64 = 100_000  // nanoseconds, the shortest that there is
        _ = slx_thread_set_slice(slice)
    }

    /// Gives the calling thread a table of open files of its own, an empty one: what other threads have open it
    /// neither sees nor keeps open. False: Linux has no close_range(2), which came with 5.9.
    public static func leaveOpenFiles() -> Bool { slx_leave_open_files() == 0 }

    /// Sends the thread a signal, unless it has ended.
    public func signal(_ signal: Signal) { core.signal(signal.rawValue) }
}

/// What the thread and its handle share.
private final class Core: Sendable {
    private enum State {
        case starting
        case running(UInt64)
        case ended(UInt64?)
    }

    private let state = Mutex(State.starting)
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start(_ name: StaticString, _ stackSize: Int) throws(Errno) {
        let context = unsafe Unmanaged.passRetained(self)
        let name = PathRef(name)
        var thread: UInt64 = 0
        let result = unsafe slx_thread_start(&thread, name.base, stackSize, entry, context.toOpaque())
        if result < 0 { unsafe context.release() }
        try succeed(result)
        let handle = thread
        state.withLock { state in
            if case .starting = state { state = .running(handle) } else { state = .ended(handle) }
        }
    }

    func run() {
        body()
        // From here on no thread signals this one, so its handle may go with a join at any time.
        state.withLock { state in
            if case .running(let thread) = state { state = .ended(thread) } else { state = .ended(nil) }
        }
    }

    func signal(_ signal: Int32) {
        state.withLock { state in
            if case .running(let thread) = state { _ = slx_thread_signal(thread, signal) }
        }
    }

    func join() {
        if let thread = handle { _ = slx_thread_join(thread) }
    }

    func detach() {
        if let thread = handle { _ = slx_thread_detach(thread) }
    }

    private var handle: UInt64? {
        state.withLock { state in
            switch state {
            case .starting: nil
            case .running(let thread): thread
            case .ended(let thread): thread
            }
        }
    }
}

/// The first function of the new thread.
private func entry(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<Core>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

/// The number of a thread of this process, by which it can be interrupted.
public struct ThreadID: Sendable, Hashable {
    public let rawValue: Int32

    /// The calling thread's number.
    public static var current: ThreadID { ThreadID(rawValue: slx_gettid()) }

    /// Sends the thread a signal. ESRCH: it has gone. The number of an ended thread may come again.
    public func signal(_ signal: Signal) throws(Errno) {
        try succeed(slx_tgkill(rawValue, signal.rawValue))
    }
}

internal import CFuse3
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Wakes workers whose caller has given up. The signal makes their system call fail with EINTR, which is the
/// answer.
///
/// One signal could come a moment before the call begins, and be lost. So it is repeated while the request is
/// blocked. A thread does this: the first interrupt starts it, and it sleeps between interrupts.
final class Interrupter: Sendable {
    private struct State {
        var isRunning = false
        var isEnding = false
        var slots: [InterruptSlot] = []
    }

    private static let interval = 10  // milliseconds

    private let state = Mutex(State())
    private let work = Semaphore()

    /// Takes up a worker's case. It is called with libfuse's lock of the request held, so it does nothing
    /// slow.
    fileprivate func interrupt(_ slot: InterruptSlot) {
        let mustStart = state.withLock { state in
            state.slots.append(slot)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart {
            let thread = try? WorkerThread.spawn(name: "switchfs-interr", stackSize: 128 * 1024) {
                [self] in run()
            }
            thread?.detach()
            // Without a thread this request isn't interrupted. The next interrupt tries again.
            if thread == nil { state.withLock { $0 = State() } }
        }
        work.raise()
    }

    /// Ends the thread.
    func end() {
        state.withLock { $0.isEnding = true }
        work.raise()
    }

    private func run() {
        while true {
            let (slots, isEnding) = state.withLock { ($0.slots, $0.isEnding) }
            if isEnding { return }
            if slots.isEmpty {
                work.wait()
                continue
            }
            let finished = slots.filter { !$0.signal() }
            state.withLock { state in
                state.slots.removeAll { slot in finished.contains { $0 === slot } && !slot.isInterrupted }
            }
            pause(milliseconds: Interrupter.interval)
        }
    }
}

/// Whether a worker is in a request that may block, and whether that was interrupted.
final class InterruptSlot: Sendable {
    private struct State {
        var isBlocked = false
        var isInterrupted = false
    }

    private let interrupter: Interrupter
    private let thread = ThreadID.current
    private let state = Mutex(State())

    /// Makes the slot of the calling thread.
    init(_ interrupter: Interrupter) { self.interrupter = interrupter }

    /// Runs `body`, which may block. Its system calls fail with EINTR if the request's caller has given up.
    /// This costs four uncontended locks and no system call.
    @inline(__always)
    func interruptible<R>(_ request: fuse_req_t?, _ body: () throws(Errno) -> R) throws(Errno) -> R {
        state.withLock { $0.isBlocked = true }
        // This calls back at once if the interrupt was here before the request.
        unsafe fuse_req_interrupt_func(request, interrupted, Unmanaged.passUnretained(self).toOpaque())
        defer {
            unsafe fuse_req_interrupt_func(request, nil, nil)
            state.withLock { $0 = State() }
        }
        return try body()
    }

    /// Ends the request that the slot's thread is in.
    func interrupt() {
        state.withLock { $0.isInterrupted = true }
        interrupter.interrupt(self)
    }

    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Sends the signal. False: the request isn't blocked any more. The lock is one that the request's end
    /// takes, so no later request of the thread is hit.
    fileprivate func signal() -> Bool {
        state.withLock { state in
            guard state.isBlocked, state.isInterrupted else { return false }
            try? thread.signal(.interruptRequest)
            return true
        }
    }
}

/// libfuse's callback for an interrupt; `data` is the slot.
private func interrupted(_ request: fuse_req_t?, _ data: UnsafeMutableRawPointer?) {
    guard let data = unsafe data else { return }
    unsafe Unmanaged<InterruptSlot>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.interrupt() }
}

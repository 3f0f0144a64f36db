internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// The threads that wait for locks, one a wait. So no worker ever waits, and any number of clients may.
///
/// A wait begins as a request that a worker has read and leaves without an answer. The thread that has waited
/// answers. An interrupt ends the wait as it ends any request's system call.
final class LockWaiters: Sendable {
    private struct State {
        var pending: [PendingLock] = []
        var threads = 0
        var idle = 0
        var isEnding = false
        var active: [Active] = []
        var isWatched = false
    }

    /// A wait that goes on now, and how to end it.
    private struct Active {
        let slot: InterruptSlot
        let wait: LockWait
    }

    /// The most waits. A further one gets ENOLCK.
    private static let most = 4000
    /// So many threads stay when there is nothing to wait for.
    private static let kept = 4
    /// In bytes.
    private static let stackSize = 128 * 1024

    /// The time between two looks for deadlocks, in milliseconds.
    private static let interval = 500

    private let union: Union
    private let interrupter: Interrupter
    private let errors: ErrorCounters
    private let state = Mutex(State())
    private let work = Semaphore()

    init(_ union: Union, _ interrupter: Interrupter, _ errors: ErrorCounters) {
        self.union = union
        self.interrupter = interrupter
        self.errors = errors
    }

    /// Has a thread wait, and answer then.
    func take(_ pending: PendingLock) {
        let (mustStart, isRefused) = state.withLock { state in
            if state.isEnding { return (false, true) }
            if state.idle > 0 {
                state.idle -= 1
            } else if state.threads < Self.most {
                state.threads += 1
                state.pending.append(pending)
                return (true, false)
            } else {
                return (false, true)
            }
            state.pending.append(pending)
            return (false, false)
        }
        if isRefused { return pending.refuse() }
        watch()
        if !mustStart { return work.raise() }
        do throws(Errno) {
            try WorkerThread.spawn(name: "switchfs-lock", stackSize: Self.stackSize) { [self] in run() }
                .detach()
        } catch {
            // Another thread may have taken this one up by now, and left its own.
            let left = state.withLock { state in
                state.threads -= 1
                return state.pending.popLast()
            }
            left?.refuse()
        }
    }

    private func run() {
        let slot = InterruptSlot(interrupter)
        while let pending = next(slot) {
            let failure = pending.waitOut(slot)
            // With the answer the client may close the file, which must then be closed here too.
            state.withLock { state in state.active.removeAll { $0.slot === slot } }
            pending.answer(failure)
            let error = sfs_take_error()
            if error != 0 { errors.count(error) }
        }
    }

    /// The next wait for the thread. nil: the thread must end.
    private func next(_ slot: InterruptSlot) -> PendingLock? {
        while true {
            let (pending, ends) = state.withLock { state -> (PendingLock?, Bool) in
                if !state.pending.isEmpty {
                    let pending = state.pending.removeFirst()
                    if let wait = pending.wait { state.active.append(Active(slot: slot, wait: wait)) }
                    return (pending, false)
                }
                if state.isEnding || state.idle >= Self.kept {
                    state.threads -= 1
                    return (nil, true)
                }
                state.idle += 1
                return (nil, false)
            }
            if pending != nil || ends { return pending }
            work.wait()
        }
    }

    // --- deadlocks with processes beside the union

    /// Starts the look for deadlocks, which goes on as long as there are waits. If no thread can be had for
    /// it, deadlocks last.
    private func watch() {
        let isFirst = state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
        guard isFirst else { return }
        do throws(Errno) {
            try WorkerThread.spawn(name: "switchfs-circles", stackSize: Self.stackSize) { [self] in
                look()
            }.detach()
        } catch {
            state.withLock { $0.isWatched = false }
        }
    }

    private func look() {
        var suspects: [LockWait] = []
        while true {
            pause(milliseconds: Self.interval)
            let isOver = state.withLock { state in
                let isOver = state.isEnding || state.active.isEmpty && state.pending.isEmpty
                if isOver { state.isWatched = false }
                return isOver
            }
            if isOver { return }
            if let wait = union.refuseDeadlock(&suspects) { interrupt(wait) }
        }
    }

    private func interrupt(_ wait: LockWait) {
        state.withLock { state in
            for active in state.active where active.wait === wait { active.slot.interrupt() }
        }
    }

    /// Ends all waits, with EINTR, and all threads. False: some threads haven't ended after `seconds`.
    func end(within seconds: Int) -> Bool {
        state.withLock { $0.isEnding = true }
        for _ in 0..<(seconds * 100) {
            let isDone = state.withLock { state in
                for active in state.active { active.slot.interrupt() }
                while state.idle > 0 {
                    state.idle -= 1
                    work.raise()
                }
                return state.threads == 0
            }
            if isDone { return true }
            pause(milliseconds: 10)
        }
        return false
    }
}

/// A request for a lock that must be waited for: what to do, and the answer that is owed. The thread that
/// read it hands it to the one that waits.
@safe final class PendingLock: @unchecked Sendable {
    private(set) var wait: LockWait?
    private var reply: Reply?
    private let request: fuse_req_t
    /// The answer goes out on the device on which the request came in.
    private let device: Device

    init(_ wait: LockWait, _ reply: consuming Reply, _ request: fuse_req_t, _ device: Device) {
        self.wait = wait
        self.reply = consume reply
        unsafe self.request = unsafe request
        self.device = device
    }

    /// Waits for the lock. nil: the client has it.
    func waitOut(_ slot: InterruptSlot) -> Errno? {
        guard let wait = wait.take() else { return .interrupted }
        do throws(Errno) {
            try unsafe slot.interruptible(request) { () throws(Errno) in try wait.wait() }
            return nil
        } catch {
            return error
        }
    }

    /// Answers ENOLCK, as no thread can wait.
    func refuse() {
        wait.take()?.cancel()
        answer(.noLocks)
    }

    func answer(_ error: Errno?) {
        guard let reply = reply.take() else { return }
        let before = sfs_thread_use(device.descriptor.rawValue)
        if let error { reply.error(error) } else { reply.done() }
        _ = sfs_thread_use(before)
    }
}

internal import CFuse3
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// One watched open file.
final class PollWatch: Sendable {
    private struct State {
        /// The events that the watch reports: all that were ever asked for.
        var events: Int16
        /// The events of the last answer.
        var told: Int16
        var wakeUp: PollWakeUp?
        /// Events that a look at the file has used up.
        var kept: Int16 = 0
        /// Whether the watch has just begun or grown. Its first event comes at once when the file is ready,
        /// and need not be news.
        var isFresh = true
    }

    let handle: HandleID
    private let owned: OwnedDescriptor
    private let state: Mutex<State>

    init(_ descriptor: consuming OwnedDescriptor, _ handle: HandleID, _ events: Int16, told: Int16) {
        owned = descriptor
        self.handle = handle
        state = Mutex(State(events: events, told: told))
    }

    var descriptor: FileDescriptor { owned.descriptor }
    var events: Int16 { state.withLock { $0.events } }

    /// Has the kernel told of the next event.
    func arm(_ wakeUp: PollWakeUp) { state.withLock { $0.wakeUp = wakeUp } }

    func note(told: Int16) { state.withLock { $0.told = told } }

    /// Adds events to those that the watch reports. False: it reports them already.
    func extend(by events: Int16) -> Bool {
        state.withLock { state in
            guard state.events & events != events else { return false }
            state.events |= events
            state.isFresh = true
            return true
        }
    }

    func takeKept() -> Int16 {
        state.withLock { state in
            defer { state.kept = 0 }
            return state.kept
        }
    }

    /// Notes an edge. Returns what wakes the waiting request. nil: there is nothing to tell.
    func happened(_ seen: Int16) -> PollWakeUp? {
        state.withLock { state in
            let now = (try? descriptor.poll(events: state.events)) ?? seen
            let used = seen & ~now & urgent
            state.kept |= used
            let isNews = !state.isFresh || used != 0 || now & ~state.told != 0
            state.isFresh = false
            guard isNews else { return nil }
            defer { state.wakeUp = nil }
            return state.wakeUp
        }
    }
}

/// POLLPRI, the one event that some files tell of only once.
private let urgent: Int16 = 0x2

/// libfuse's handle for waking one polled file's waiters, freed with the last reference.
@safe final class PollWakeUp: @unchecked Sendable {
    // Sendable: it never changes, and any thread may call libfuse with it.
    private let handle: OpaquePointer

    @unsafe init(_ handle: OpaquePointer) { unsafe self.handle = unsafe handle }

    deinit { unsafe fuse_pollhandle_destroy(handle) }

    func send() { _ = unsafe fuse_lowlevel_notify_poll(handle) }
}

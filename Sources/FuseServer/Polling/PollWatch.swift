internal import CFuse3
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// One watched open file.
final class PollWatch: Sendable {
    private struct State {
        /// What the watch reports: all that was ever asked for.
        var events: Int16
        /// What the last answer told.
        var told: Int16
        var wakeUp: PollWakeUp?
        /// Events that looking at the file has used up.
        var kept: Int16 = 0
        /// The watch has just begun or grown: its first event comes at once when the file is ready, and need
        /// not be news.
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

    /// The next event is told to the kernel.
    func arm(_ wakeUp: PollWakeUp) { state.withLock { $0.wakeUp = wakeUp } }

    func note(told: Int16) { state.withLock { $0.told = told } }

    /// False when it covers them already.
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

    /// Takes note of an edge. Returns the request that is to be woken.
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
    // Sendable: immutable, and libfuse takes it on any thread.
    private let handle: OpaquePointer

    @unsafe init(_ handle: OpaquePointer) { unsafe self.handle = unsafe handle }

    deinit { unsafe fuse_pollhandle_destroy(handle) }

    func send() { _ = unsafe fuse_lowlevel_notify_poll(handle) }
}

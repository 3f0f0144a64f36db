internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// Wakes clients that poll files of the union: watches the real files that they have open.
///
/// A pseudo file may go on saying POLLPRI and POLLERR until it is read, so a level-triggered watch that is
/// armed again at each question would fire for ever. Each file is therefore watched edge-triggered, once,
/// until it is closed, and the kernel is told of an edge when it has asked since the last one.
///
/// Looking may take the event with it (a pressure trigger's is gone once poll(2) has told of it), so what
/// the watch saw and a second look doesn't show is kept for the next question.
final class PollWatcher: Sendable {
    private let watches = Mutex<[HandleID: PollWatch]>([:])
    /// Files watched; lets a close that has nothing to do with polling pass by.
    private let count = Atomic<Int>(0)
    private let loop: PollLoop

    init(logger: Logger) { loop = PollLoop(logger: logger) }

    /// Answers a FUSE_POLL: which of `events` are there now. `wakeUp` tells the kernel later; nil where
    /// nobody waits.
    func poll(
        _ handle: HandleID, events: Int16, wakeUp: PollWakeUp?, of union: Union
    ) throws(Errno) -> Int16 {
        let watch = find(handle)
        // Armed before looking: an event after the look must not be missed.
        if let wakeUp { watch?.arm(wakeUp) }
        var now = try union.poll(handle, events: events)
        if let watch { now |= watch.takeKept() & (events | alwaysTold) }
        watch?.note(told: now)
        if let wakeUp { try keepWatching(handle, watch, events, told: now, wakeUp, union) }
        return now
    }

    /// Starts a watch, or widens the one there is. Watching begins by itself with a look, whose outcome is
    /// compared with what has been told.
    private func keepWatching(
        _ handle: HandleID, _ watch: PollWatch?, _ events: Int16, told: Int16, _ wakeUp: PollWakeUp,
        _ union: Union
    ) throws(Errno) {
        if let watch {
            if watch.extend(by: events) { loop.modify(watch) }
            return
        }
        // Files that are always ready have nothing to watch.
        guard let descriptor = try union.pollDescriptor(of: handle) else { return }
        let new = PollWatch(descriptor, handle, events, told: told)
        new.arm(wakeUp)
        let isFirst = watches.withLock { watches in
            guard watches[handle] == nil else { return false }
            watches[handle] = new
            return true
        }
        guard isFirst else { return find(handle)?.arm(wakeUp) ?? () }
        count.add(1, ordering: .relaxed)
        loop.add(new) { [self] handle in find(handle) }
    }

    /// The file is being closed. Epoll forgets it with its last descriptor, which is the watch's.
    func remove(_ handle: HandleID) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        if watches.withLock({ $0.removeValue(forKey: handle) }) != nil {
            count.subtract(1, ordering: .relaxed)
        }
    }

    /// Ends the thread; nobody is woken any more.
    func end() {
        loop.end()
        watches.withLock { $0 = [:] }
    }

    private func find(_ handle: HandleID) -> PollWatch? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        return watches.withLock { $0[handle] }
    }
}

/// POLLERR and POLLHUP, which nobody needs to ask for.
private let alwaysTold: Int16 = 0x18

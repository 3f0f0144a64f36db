internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// Wakes clients that poll files of the union: watches the real files that they have open.
///
/// A pseudo file may go on saying POLLPRI and POLLERR until it is read. A level-triggered watch that each
/// question arms again would fire for ever. So each file is watched edge-triggered, once, until it is closed.
/// The kernel is told of an edge if it has asked since the last one.
///
/// A look may take the event with it (a pressure trigger's has gone once poll(2) has told of it). So what the
/// watch saw and a second look doesn't show is kept for the next question.
final class PollWatcher: Sendable {
    private let watches = Mutex<[HandleID: PollWatch]>([:])
    /// How many files are watched. A close that has nothing to do with polling reads only this.
    private let count = Atomic<Int>(0)
    private let loop: PollLoop

    init(logger: Logger) { loop = PollLoop(logger: logger) }

    /// Answers a FUSE_POLL: which of `events` are there now. `wakeUp` tells the kernel later. nil: no client
    /// waits.
    func poll(
        _ handle: HandleID, events: Int16, wakeUp: PollWakeUp?, of union: Union
    ) throws(Errno) -> Int16 {
        let watch = find(handle)
        // It is armed before the look: an event after the look must not be missed.
        if let wakeUp { watch?.arm(wakeUp) }
        var now = try union.poll(handle, events: events)
        if let watch { now |= watch.takeKept() & (events | alwaysTold) }
        watch?.note(told: now)
        if let wakeUp { try keepWatching(handle, watch, events, told: now, wakeUp, union) }
        return now
    }

    /// Starts a watch, or widens the one there is. Watching itself begins with a look, whose outcome is
    /// compared with the last answer.
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

    /// Ends the watch of a file that is being closed. Epoll forgets the file with its last descriptor, which
    /// is the watch's.
    func remove(_ handle: HandleID) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        if watches.withLock({ $0.removeValue(forKey: handle) }) != nil {
            count.subtract(1, ordering: .relaxed)
        }
    }

    /// Ends the thread. No client is woken any more.
    func end() {
        loop.end()
        watches.withLock { $0 = [:] }
    }

    private func find(_ handle: HandleID) -> PollWatch? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        return watches.withLock { $0[handle] }
    }
}

/// POLLERR and POLLHUP, which are told without being asked for.
private let alwaysTold: Int16 = 0x18

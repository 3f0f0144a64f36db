internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The thread that waits for events and takes them in. Only where cgroups are watched it has a time-out: it
/// looks at the controllers then.
final class WatchThread: Sendable {
    private let loop: Loop
    private let thread: WorkerThread

    init(_ instance: Instance) throws(Errno) {
        let loop = try Loop(instance)
        self.loop = loop
        thread = try WorkerThread.spawn(name: "switchfs-watch", stackSize: 256 * 1024) { loop.run() }
    }

    /// Has the thread wait anew: the time-out may be shorter now.
    func wake() { loop.wakeUp.raise() }

    /// Ends the thread. Returns when it has gone.
    func end() {
        loop.isEnding.store(true, ordering: .sequentiallyConsistent)
        loop.wakeUp.raise()
        thread.join()
    }
}

/// What the thread and its handle share.
private final class Loop: Sendable {
    private static let wakeToken: UInt64 = 1
    /// Microseconds from events that nobody minds to the next: the counters of a busy cgroup make thousands
    /// of them a second.
    private static let idleDelay: UInt32 = 1600

    let wakeUp: WakeUp
    let isEnding = Atomic<Bool>(false)
    private let instance: Instance
    private let poller: Mutex<Poller>
    private let mounts: OwnedDescriptor?

    init(_ instance: Instance) throws(Errno) {
        let poller = try Poller()
        wakeUp = try WakeUp()
        try poller.add(instance.descriptor, .readable, token: 0)
        try poller.add(wakeUp.descriptor, .readable, token: Loop.wakeToken)
        mounts = Loop.openMounts(polledBy: poller)
        self.instance = instance
        self.poller = Mutex(poller)
    }

    /// Opens the table of mounts and adds it to the poller. nil: it can't be had.
    private static func openMounts(polledBy poller: borrowing Poller) -> OwnedDescriptor? {
        do throws(Errno) {
            let mounts = try MountTableWatch.open()
            try poller.add(mounts.descriptor, .urgent, token: 0)
            return mounts
        } catch {
            return nil
        }
    }

    func run() {
        WorkerThread.runsShortly()
        while true {
            let woken = poller.withLock { Loop.wait(&$0, timeout: instance.controllers.timeout) }
            if woken.isCalled {
                if isEnding.load(ordering: .sequentiallyConsistent) { return }
                wakeUp.clear()
            }
            if instance.controllers.isDue { instance.checkControllers() }
            guard woken.hasEvents else { continue }
            let before = instance.eventCount
            instance.drain()
            // Events come in rows. Each time that this thread is woken costs the process that makes them.
            let isIdle = instance.controllers.areLookedAt && instance.eventCount == before
            usleep(isIdle ? max(instance.delay, Loop.idleDelay) : instance.delay)
        }
    }

    private struct Woken {
        var isCalled = false
        var hasEvents = false
    }

    /// Waits for an event, at most for `timeout` milliseconds. A signal counts as an event: to drain once
    /// more does no harm.
    private static func wait(_ poller: inout Poller, timeout: Int32) -> Woken {
        guard let count = try? poller.wait(timeout: timeout) else { return Woken(hasEvents: true) }
        var woken = Woken()
        for index in 0..<count {
            if poller[index].token == wakeToken { woken.isCalled = true } else { woken.hasEvents = true }
        }
        return woken
    }
}

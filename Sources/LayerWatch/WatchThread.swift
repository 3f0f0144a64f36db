internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The thread that waits for events, without time-outs, and takes them in.
final class WatchThread: Sendable {
    private let loop: Loop
    private let thread: WorkerThread

    init(_ instance: Instance) throws(Errno) {
        let loop = try Loop(instance)
        self.loop = loop
        thread = try WorkerThread.spawn(name: "switchfs-watch", stackSize: 256 * 1024) { loop.run() }
    }

    /// Ends the thread. Returns when it has gone.
    func end() {
        loop.wakeUp.raise()
        thread.join()
    }
}

/// What the thread and its handle share.
private final class Loop: Sendable {
    private static let endToken: UInt64 = 1

    let wakeUp: WakeUp
    private let instance: Instance
    private let poller: Mutex<Poller>
    private let mounts: OwnedDescriptor?

    init(_ instance: Instance) throws(Errno) {
        let poller = try Poller()
        wakeUp = try WakeUp()
        try poller.add(instance.descriptor, .readable, token: 0)
        try poller.add(wakeUp.descriptor, .readable, token: Loop.endToken)
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
        while poller.withLock({ Loop.wait(&$0) }) {
            instance.drain()
            // Events come in rows. Each time that this thread is woken costs the process that makes them.
            usleep(instance.delay)
        }
    }

    /// Waits for an event. False: the thread must end. A signal counts as an event: to drain once more does
    /// no harm.
    private static func wait(_ poller: inout Poller) -> Bool {
        do throws(Errno) {
            let count = try poller.wait(timeout: -1)
            return !(0..<count).contains { poller[$0].token == endToken }
        } catch {
            return true
        }
    }
}

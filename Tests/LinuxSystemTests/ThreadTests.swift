import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import Testing

import func SwitchTestKit.eventually

@Suite("Threads and processes")
struct ThreadTests {
    @Test func runsAndJoins() throws {
        for _ in 0..<50 {
            let done = Flag()
            let thread = try WorkerThread.spawn(name: "a name that is far too long", stackSize: 256 * 1024) {
                done.raise()
            }
            thread.join()
            thread.join()
            thread.signal(.interruptRequest)
            #expect(done.isRaised)
        }
    }

    @Test func interruptsASystemCall() throws {
        try Signals.installInterruptHandler()
        let wake = try WakeUp()
        let descriptor = wake.descriptor
        let interrupted = Flag()
        let thread = try WorkerThread.spawn(name: "waits") {
            do throws(Errno) {
                try ThreadSetup.prepareRequestThread()
                _ = try descriptor.poll(events: 1, timeout: 20_000)
            } catch {
                if error == .interrupted { interrupted.raise() }
            }
        }
        // The signal may come before the call that it is to interrupt, so it comes until it has.
        try eventually("interrupted") {
            thread.signal(.interruptRequest)
            return interrupted.isRaised
        }
        thread.join()
        wake.raise()
        #expect(try descriptor.poll(events: 1) == 1)
        wake.clear()
        #expect(try descriptor.poll(events: 1) == 0)
    }

    @Test func waitsForSignals() throws {
        try onOwnThread { () throws(Errno) in
            let set: SignalSet = [.user1]
            try Signals.block(set)
            #expect(try Signals.wait(for: set, timeout: 1) == nil)
            try ThreadID.current.signal(.user1)
            #expect(try Signals.wait(for: set) == .user1)
            try ThreadID.current.signal(.user1)
            #expect(try Signals.wait(for: set, timeout: 1000) == .user1)
        }
    }

    @Test(arguments: [0, 7, nil] as [UInt8?])
    func theParentHearsOfTheStart(status: UInt8?) throws {
        switch try Daemon.beginBackground() {
        case .child(let reporter):
            if let status { reporter.report(status) }
            _exit(0)
        case .parent(let waiter):
            #expect(waiter.waitForStatus() == status ?? 1)
        }
    }

    @Test func raisesTheLimitOfFiles() throws {
        let limits = try ResourceLimits.raiseOpenFiles()
        #expect(limits.soft == limits.hard && limits.soft > 0)
    }
}

private final class Flag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}

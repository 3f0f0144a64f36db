import Glibc
import LinuxSystem
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

@testable import UnionCore

/// What becomes of locks when files are closed, and of waits meanwhile.
@Suite struct LockReleaseTests {
    private func fixture(coherence: CoherenceMode? = nil, _ mode: LockPolicy = .through) throws -> Fixture {
        try Fixture(
            coherence: coherence, policies: { $0.locks = mode }, before: { shell("echo 1 >\($0)/lower1/f") })
    }

    /// The kernel names the owner of an open file's locks by the file's place in memory. The next file to be opened may
    /// get that place before the union hears that the first one is gone.
    @Test func aLateReleaseFreesNoLockOfTheNextFile() throws {
        let fixture = try fixture()
        let union = fixture.union
        let handles = try fixture.open([O_RDWR, O_RDWR, O_RDWR])
        try union.lock(handles[0], owner: 7)
        try union.lock(handles[1], owner: 7)
        union.release(handles[0])
        #expect(throws: Errno.resourceTemporarilyUnavailable) { try union.lock(handles[2], owner: 8) }
        union.release(handles[1])
        try union.lock(handles[2], owner: 8)
        union.release(handles[2])
    }

    /// What stands in for the file may be another one when the owner's number comes again.
    @Test(arguments: [LockPolicy.through, .auto]) func anAttemptLeavesNothing(mode: LockPolicy) throws {
        let fixture = try fixture(coherence: .static, mode)
        let union = fixture.union
        for round in 0..<3 {
            let handles = try fixture.open([O_RDWR, O_RDWR, O_RDWR])
            let (first, second): (UInt64, UInt64) = round % 2 == 0 ? (7, 8) : (8, 7)
            try union.lock(handles[0], owner: first)
            #expect(throws: Errno.resourceTemporarilyUnavailable) {
                try union.lock(handles[1], owner: second)
            }
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try union.lock(handles[2], owner: 9) }
            for handle in handles { union.release(handle) }
            #expect(union.ledger.state.withLock { $0.holdings.isEmpty })
        }
    }

    /// A program that serves a union may fork. Its child has all that is open then.
    @Test func aForkedChildKeepsNoLock() throws {
        let fixture = try fixture()
        let union = fixture.union
        let handles = try fixture.open([O_RDONLY, O_RDWR, O_RDWR])
        try union.lock(handles[0], F_RDLCK, owner: 7)
        var child = try copies(ofOpen: fixture.base + "/lower1/f")
        // The owner's file isn't wide enough for this, so that it gets another one.
        try union.lock(handles[1], owner: 7)
        try union.lock(handles[1], F_UNLCK, owner: 7)
        try union.lock(handles[2], owner: 8)
        child += try copies(ofOpen: fixture.base + "/lower1/f")
        union.release(handles[2])
        try union.lock(handles[1], owner: 7)
        for handle in handles.prefix(2) { union.release(handle) }
        for descriptor in child { try descriptor.close() }
    }

    /// Copies of all descriptors of a file that this process has, as a forked child has them.
    private func copies(ofOpen path: String) throws -> [FileDescriptor] {
        let open = TestPath("/proc/self/fd")
        return try Sys.names(open).filter { (try? Sys.readLink(open / $0))?.text == path }.map { name in
            try FileDescriptor(rawValue: try #require(Int32(name.text))).duplicate()
        }
    }

    /// What another thread of the process does while one waits for a lock.
    enum Meanwhile: CaseIterable {
        /// It locks something that takes more access than the file has that is waited with.
        case locksMore
        /// It closes another descriptor of the file, and locks something.
        case closes
    }

    @Test(arguments: Meanwhile.allCases) func aLockThatWasWaitedForStays(meanwhile: Meanwhile) throws {
        let fixture = try fixture()
        let union = fixture.union
        let handles = try fixture.open([O_RDONLY, O_RDWR, O_RDWR, O_RDWR])
        try union.lock(handles[2], owner: 8, to: 9)
        let wait = try #require(try union.lock(handles[0], F_RDLCK, owner: 7, to: 9, waits: true))
        let waiter = Waiter(wait)
        let thread = try WorkerThread.spawn(name: "waiter") { waiter.run() }
        try eventually("it waits") { waitsForOpenFileLock(thread: waiter.number.load(ordering: .acquiring)) }
        if meanwhile == .closes { try union.flush(handles[3], lockOwner: 7) }
        try union.lock(handles[1], owner: 7, from: 100, to: 109)
        try union.lock(handles[2], F_UNLCK, owner: 8)
        thread.join()
        #expect(waiter.hasLock)
        #expect(throws: Errno.resourceTemporarilyUnavailable) { try union.lock(handles[3], owner: 9, to: 9) }
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            try union.lock(handles[3], owner: 9, from: 100, to: 100)
        }
        for handle in handles { union.release(handle) }
        #expect(union.ledger.state.withLock { $0.holdings.isEmpty })
    }
}

/// A thread that waits for a lock.
private final class Waiter: Sendable {
    private let wait: LockWait
    let number = Atomic<Int32>(0)
    private let isGranted = Atomic<Bool>(false)

    var hasLock: Bool { isGranted.load(ordering: .acquiring) }

    init(_ wait: LockWait) { self.wait = wait }

    func run() {
        number.store(ThreadID.current.rawValue, ordering: .releasing)
        isGranted.store((try? wait.wait()) != nil, ordering: .releasing)
    }
}

extension Fixture {
    fileprivate func open(_ flags: [Int32]) throws -> [HandleID] {
        let node = try node("f")
        return try flags.map { try union.open(node, flags: $0, root).handle }
    }
}

extension UnionCore.Union {
    /// Locks a part of the file, at first all of it.
    @discardableResult
    fileprivate func lock(
        _ handle: HandleID, _ kind: Int32 = F_WRLCK, owner: UInt64, from start: Int64 = 0,
        to end: Int64 = .max,
        waits: Bool = false
    ) throws(Errno) -> LockWait? {
        let range = LockRange(type: Int16(kind), start: start, end: end, pid: 1)
        return try setLock(handle, owner: owner, lock: range, wait: waits, root)
    }
}

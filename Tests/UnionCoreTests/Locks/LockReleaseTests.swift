import Glibc
import LinuxSystem
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing
@testable import UnionCore

/// The kernel names the owner of an open file's locks by the file's place in memory. The next file to be opened may get
/// that place before the union hears that the first one is gone.
@Suite struct LockReleaseTests {
    @Test func aLateReleaseFreesNoLockOfTheNextFile() throws {
        let fixture = try Fixture(
            policies: { $0.locks = .through }, before: { shell("echo 1 >\($0)/lower1/f") })
        let union = fixture.union
        let node = try fixture.node("f")
        let handles = try (0..<3).map { _ in try union.open(node, flags: O_RDWR, root).handle }
        func lock(_ handle: HandleID, owner: UInt64) throws(Errno) {
            let whole = LockRange(type: Int16(F_WRLCK), start: 0, end: .max, pid: 1)
            _ = try union.setLock(handle, owner: owner, lock: whole, wait: false, root)
        }
        try lock(handles[0], owner: 7)
        try lock(handles[1], owner: 7)
        union.release(handles[0])
        #expect(throws: Errno.resourceTemporarilyUnavailable) { try lock(handles[2], owner: 8) }
        union.release(handles[1])
        try lock(handles[2], owner: 8)
        union.release(handles[2])
    }

    /// What stands in for the file may be another one when the owner's number comes again.
    @Test(arguments: [LockPolicy.through, .auto]) func anAttemptLeavesNothing(mode: LockPolicy) throws {
        let fixture = try Fixture(
            coherence: .static, policies: { $0.locks = mode }, before: { shell("echo 1 >\($0)/lower1/f") })
        let union = fixture.union
        let node = try fixture.node("f")
        for round in 0..<3 {
            let handles = try (0..<3).map { _ in try union.open(node, flags: O_RDWR, root).handle }
            func lock(_ handle: Int, owner: UInt64) throws(Errno) {
                let whole = LockRange(type: Int16(F_WRLCK), start: 0, end: .max, pid: 1)
                _ = try union.setLock(handles[handle], owner: owner, lock: whole, wait: false, root)
            }
            let (first, second): (UInt64, UInt64) = round % 2 == 0 ? (7, 8) : (8, 7)
            try lock(0, owner: first)
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try lock(1, owner: second) }
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try lock(2, owner: 9) }
            for handle in handles { union.release(handle) }
            #expect(union.ledger.state.withLock { $0.holdings.isEmpty })
        }
    }

    /// A program that serves a union may fork. Its child has all that is open then.
    @Test func aForkedChildKeepsNoLock() throws {
        let fixture = try Fixture(
            policies: { $0.locks = .through }, before: { shell("echo 1 >\($0)/lower1/f") })
        let union = fixture.union
        let node = try fixture.node("f")
        let handles = try [O_RDONLY, O_RDWR, O_RDWR].map { try union.open(node, flags: $0, root).handle }
        func lock(_ handle: HandleID, _ kind: Int32, owner: UInt64) throws(Errno) {
            let whole = LockRange(type: Int16(kind), start: 0, end: .max, pid: 1)
            _ = try union.setLock(handle, owner: owner, lock: whole, wait: false, root)
        }
        try lock(handles[0], F_RDLCK, owner: 7)
        var child = try copies(ofOpen: fixture.base + "/lower1/f")
        // The owner's file isn't wide enough for this, so that it gets another one.
        try lock(handles[1], F_WRLCK, owner: 7)
        try lock(handles[1], F_UNLCK, owner: 7)
        try lock(handles[2], F_WRLCK, owner: 8)
        child += try copies(ofOpen: fixture.base + "/lower1/f")
        union.release(handles[2])
        try lock(handles[1], F_WRLCK, owner: 7)
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
}

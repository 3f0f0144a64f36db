import Glibc
import SystemPackage
import Testing
import UnionCore

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
}

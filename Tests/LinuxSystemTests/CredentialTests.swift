import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import LinuxSystem

private let stranger = CallerIdentity(uid: 41_234, gid: 43_210, pid: 0)

@Suite("Credentials", .enabled(if: isRoot, "becoming others needs root"))
struct CredentialTests {
    @Test func losesRootsRightsAndGetsThemBack() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let directory = try TestDirectory()
            try directory.root.changeMode(0o777)
            try directory.write("secret", to: "file", mode: 0o600)
            let before = Capabilities.effective()
            let groups = try ThreadGroups.current()
            do {
                let scope = try CredentialScope(becoming: stranger, groups: .none)
                #expect(Capabilities.effective() == 0)
                #expect(!Capabilities.hasEffective(.overrideAccess))
                #expect(throws: Errno.permissionDenied) { _ = try directory.read("file") }
                try directory.write("", to: "mine")
                let object = try directory.root.openBeneath("file", flags: .path)
                #expect(throws: Errno.permissionDenied) { _ = try object.descriptor.reopen(flags: .readOnly) }
                #expect(throws: Errno.permissionDenied) { try object.descriptor.truncatePath(to: 0) }
                #expect(throws: Errno.notPermitted) { try object.descriptor.changeMode(0o777) }
                #expect(throws: Errno.permissionDenied) { try object.descriptor.checkAccess(.read) }
                let mine = try directory.root.openBeneath("mine", flags: .path)
                try mine.descriptor.changeMode(0o640)
                try mine.descriptor.truncatePath(to: 3)
                _ = try mine.descriptor.reopen(flags: .readWrite)
                scope.end()
            }
            #expect(Capabilities.effective() == before)
            #expect(try ThreadGroups.current() == groups)
            #expect(try directory.read("file") == "secret")
            let mine = try directory.root.status(at: "mine")
            #expect(mine.uid == stranger.uid && mine.gid == stranger.gid && mine.permissions == 0o640)
            try directory.write("", to: "roots")
            let roots = try directory.root.status(at: "roots")
            #expect(roots.uid == 0 && roots.gid == ServerIdentity.gid)
        }
    }

    @Test func endsByThrowing() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let directory = try TestDirectory()
            try directory.root.changeMode(0o777)
            do throws(Errno) {
                let scope = try CredentialScope(becoming: stranger, groups: .none)
                try directory.write("", to: "early")
                _ = try directory.root.status(at: "none")
                scope.end()
            } catch {
                #expect(error == .noSuchFileOrDirectory)
            }
            try directory.write("", to: "late")
            #expect(try directory.root.status(at: "early").uid == stranger.uid)
            #expect(try directory.root.status(at: "late").uid == 0)
            #expect(throws: Errno.noSuchFileOrDirectory) {
                try CredentialScope.run(as: stranger, groups: .none) { () throws(Errno) in
                    try directory.root.unlink(at: "none")
                }
            }
            #expect(Capabilities.hasEffective(.overrideAccess))
        }
    }

    @Test func concernsOneThreadOnly() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let directory = try TestDirectory()
            try directory.root.changeMode(0o777)
            let root = directory.root
            let stage = Stage()
            let other = try WorkerThread.spawn(name: "other") {
                #expect(throws: Never.self) { try ThreadSetup.prepareRequestThread() }
                stage.enter(ThreadID.current.rawValue)
                stage.waitForEnd()
                #expect(throws: Never.self) { try root.makeDirectory(at: "others", mode: 0o777) }
            }
            _ = stage.waitForEntry()
            let caller = CallerIdentity(uid: 41_234, gid: 43_210, pid: 0, umask: 0o077)
            try CredentialScope.run(as: caller, groups: .none) { () throws(Errno) in
                stage.end()
                other.join()
                try root.makeDirectory(at: "own", mode: 0o777)
            }
            let own = try root.status(at: "own")
            #expect(own.uid == 41_234 && own.permissions == 0o700)
            let others = try root.status(at: "others")
            #expect(others.uid == 0 && others.gid == ServerIdentity.gid && others.permissions == 0o777)
            try root.makeDirectory(at: "after", mode: 0o777)
            #expect(try root.status(at: "after").permissions == 0o777)
        }
    }

    @Test func takesOnSupplementaryGroups() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            for count in [0, 1, 5, 128, 129, 3000, 65_536] {
                let groups = (0..<UInt32(count)).map { 70_000 + $0 * 65_000 }
                let member = try Member(of: groups)
                #expect(member.readGroups(room: count) == groups)
                #expect(member.count(room: 3) == count)
                let caller = CallerIdentity(uid: 41_234, gid: 43_210, pid: member.id)
                let seen = try CredentialScope.run(as: caller, groups: .ofProcess(member.id)) {
                    () throws(Errno) in try ThreadGroups.current()
                }
                #expect(seen == groups)
                member.leave()
            }
        }
    }

    @Test func groupsOpenFiles() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let directory = try TestDirectory()
            try directory.write("for the group", to: "file", mode: 0o640)
            let object = try directory.root.openBeneath("file", flags: .path)
            try object.descriptor.changeOwner(uid: nil, gid: 77_777)
            let member = try Member(of: [77_776, 77_777])
            defer { member.leave() }
            let caller = CallerIdentity(uid: 41_234, gid: 43_210, pid: member.id)
            #expect(throws: Errno.permissionDenied) {
                try CredentialScope.run(as: caller, groups: .none) { () throws(Errno) in
                    _ = try directory.read("file")
                }
            }
            let text = try CredentialScope.run(as: caller, groups: .ofProcess(member.id)) {
                () throws(Errno) in try directory.read("file")
            }
            #expect(text == "for the group")
        }
    }

    @Test func rootKeepsItsRightsUnderAnotherGroup() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let directory = try TestDirectory()
            let caller = CallerIdentity(uid: 0, gid: 43_210, pid: 0, umask: 0o027)
            try CredentialScope.run(as: caller, groups: .none) { () throws(Errno) in
                #expect(Capabilities.hasEffective(.overrideAccess))
                try directory.write("", to: "file", mode: 0o666)
            }
            let status = try directory.root.status(at: "file")
            #expect(status.uid == 0 && status.gid == 43_210 && status.permissions == 0o640)
        }
    }

    @Test func unknownProcessesHaveNoGroups() {
        let room = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: 8)
        defer { unsafe room.deallocate() }
        #expect(unsafe supplementaryGroups(of: 0, into: room) == 0)
        #expect(unsafe supplementaryGroups(of: -1, into: room) == 0)
        #expect(unsafe supplementaryGroups(of: 0x7fff_fff0, into: room) == 0)
    }
}

/// A thread that is in groups, and waits to be seen.
private final class Member: Sendable {
    let id: Int32
    private let thread: WorkerThread
    private let stage: Stage

    init(of groups: [UInt32]) throws(Errno) {
        let stage = Stage()
        thread = try WorkerThread.spawn(name: "member") {
            #expect(throws: Never.self) { try unsafe groups.withUnsafeBufferPointer(ThreadGroups.set) }
            stage.enter(ThreadID.current.rawValue)
            stage.waitForEnd()
        }
        self.stage = stage
        id = stage.waitForEntry()
    }

    func leave() {
        stage.end()
        thread.join()
    }

    /// The groups that fit into the room.
    func readGroups(room: Int) -> [UInt32] {
        unsafe [UInt32](unsafeUninitializedCapacity: room) { buffer, count in
            count = unsafe min(supplementaryGroups(of: id, into: buffer), room)
        }
    }

    /// How many there are, with less room.
    func count(room: Int) -> Int {
        let buffer = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: room)
        defer { unsafe buffer.deallocate() }
        return unsafe supplementaryGroups(of: id, into: buffer)
    }
}

/// Where a thread says that it is there, and waits until it may go.
private final class Stage: Sendable {
    private let thread = Atomic<Int32>(0)
    private let isOver = Atomic<Bool>(false)

    func enter(_ id: Int32) { thread.store(id, ordering: .releasing) }
    func end() { isOver.store(true, ordering: .releasing) }

    func waitForEntry() -> Int32 {
        while true {
            let id = thread.load(ordering: .acquiring)
            if id != 0 { return id }
            sched_yield()
        }
    }

    func waitForEnd() {
        while !isOver.load(ordering: .acquiring) { sched_yield() }
    }
}

import CTestCalls
import Glibc
import Synchronization
import SystemPackage
import Testing

import func SwitchTestKit.eventually

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
                let scope = try CredentialScope(becoming: stranger, .judged)
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
                let scope = try CredentialScope(becoming: stranger, .judged)
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
                try CredentialScope.run(as: stranger, .judged) { () throws(Errno) in
                    try directory.root.unlink(at: "none")
                }
            }
            #expect(Capabilities.hasEffective(.overrideAccess))
        }
    }

    /// To setresuid(2) and its kind that number says that the id stays the server's.
    @Test(arguments: [CallerIdentity(uid: .max, gid: 1, pid: 0), CallerIdentity(uid: 1, gid: .max, pid: 0)])
    func whoHasNoNumberIsRefused(identity: CallerIdentity) throws {
        try onOwnThread { () throws(Errno) in
            #expect(throws: Errno.overflow) { _ = try CredentialScope(becoming: identity, .judged) }
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
            try CredentialScope.run(as: caller, .judged) { () throws(Errno) in
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
                #expect((ThreadStatus(of: member.id)?.groups ?? []) == groups)
                let caller = CallerIdentity(uid: 41_234, gid: 43_210, pid: member.id)
                let seen = try CredentialScope.run(as: caller, .exact) {
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
                try CredentialScope.run(as: caller, .judged) { () throws(Errno) in
                    _ = try directory.read("file")
                }
            }
            let text = try CredentialScope.run(as: caller, .exact) {
                () throws(Errno) in try directory.read("file")
            }
            #expect(text == "for the group")
        }
    }

    @Test func rootKeepsItsRightsUnderAnotherGroup() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let directory = try TestDirectory()
            let caller = CallerIdentity(
                uid: 0, gid: 43_210, pid: ThreadID.current.rawValue, umask: 0o027)
            try CredentialScope.run(as: caller, .judged) { () throws(Errno) in
                #expect(Capabilities.hasEffective(.overrideAccess))
                try directory.write("", to: "file", mode: 0o666)
            }
            let status = try directory.root.status(at: "file")
            #expect(status.uid == 0 && status.gid == 43_210 && status.permissions == 0o640)
        }
    }

    /// What a thread has is what is taken on: from none to all.
    @Test(arguments: [[], [Capability.overrideAccess], [.changeOwner, .makeNode]])
    func takesOnCapabilities(of wanted: [Capability]) throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let before = Capabilities.effective()
            let bits = wanted.reduce(UInt64(0)) { $0 | $1.bit }
            for uid in [41_234, 0] as [UInt32] {
                let member = try Member(of: [77_777], uid: uid, capabilities: bits)
                let caller = CallerIdentity(uid: uid, gid: 43_210, pid: member.id)
                let seen = try CredentialScope.run(as: caller, .exact) { () throws(Errno) in
                    Capabilities.effective()
                }
                #expect(seen == bits)
                #expect(Capabilities.effective() == before)
                let judged = try CredentialScope.run(as: caller, .judged) { () throws(Errno) in
                    Capabilities.effective()
                }
                // Of root there is no second try: it gets what it has.
                #expect(judged == (uid == 0 ? bits : 0))
                #expect(Capabilities.effective() == before)
                member.leave()
            }
            #expect(try ThreadGroups.current() == ServerCredentials.own.ownGroups)
        }
    }

    /// Who has other ids than the thread that he comes from gets nothing of that thread's.
    @Test func othersThreadsLendNothing() throws {
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            let member = try Member(of: [77_777], uid: 0, capabilities: Capability.overrideAccess.bit)
            defer { member.leave() }
            let caller = CallerIdentity(uid: 41_234, gid: 43_210, pid: member.id)
            try CredentialScope.run(as: caller, .exact) { () throws(Errno) in
                #expect(Capabilities.effective() == 0)
                #expect(try ThreadGroups.current() == [])
            }
        }
    }

    /// A thread of the kernel, one that isn't there, one that isn't seen: nothing, as root neither.
    @Test(arguments: [2, 0, -1, 0x7fff_fff0] as [Int32])
    func unknownThreadsHaveNothing(pid: Int32) throws {
        // In a pid namespace of its own there are no threads of the kernel.
        if pid == 2, ThreadStatus(of: 2)?.hasMemory != false {
            return print("no thread of the kernel in sight")
        }
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            for uid in [0, 41_234] as [UInt32] {
                let caller = CallerIdentity(uid: uid, gid: 0, pid: pid)
                try CredentialScope.run(as: caller, .exact) { () throws(Errno) in
                    #expect(Capabilities.effective() == 0)
                    #expect(try ThreadGroups.current() == [])
                }
            }
            #expect(Capabilities.hasEffective(.overrideAccess))
        }
        if pid != 2 { #expect((ThreadStatus(of: pid)?.groups ?? []) == []) }
    }

    /// Full capabilities in a user namespace of one's own are none in the server's.
    @Test func otherNamespacesCapabilitiesAreNone() throws {
        let child = try #require(try? NamespaceChild(), "user namespaces can't be made here")
        defer { child.end() }
        #expect(Capabilities.effective(of: child.pid) != 0)
        try onOwnThread { () throws(Errno) in
            try ThreadSetup.prepareRequestThread()
            #expect(!ServerCredentials.own.sharesNamespace(with: child.pid))
            for rights in [TakenRights.exact, .judged] {
                let caller = CallerIdentity(uid: 0, gid: 0, pid: child.pid)
                try CredentialScope.run(as: caller, rights) { () throws(Errno) in
                    #expect(Capabilities.effective() == 0)
                }
            }
        }
    }
}

/// A process that is root of a user namespace of its own, and root outside.
private struct NamespaceChild {
    let pid: Int32

    init() throws {
        let arguments = ["unshare", "--user", "--map-root-user", "sleep", "300"]
        var strings = unsafe arguments.map { unsafe UnsafePointer<CChar>(strdup($0)) }
        unsafe strings.append(nil)
        let pid = unsafe Int32(tc_spawn(&strings, -1, -1, -1, nil))
        for index in arguments.indices { unsafe free(UnsafeMutableRawPointer(mutating: strings[index])) }
        guard pid > 0 else { throw Errno(rawValue: -pid) }
        self.pid = pid
        let own = UserNamespace(of: getpid())
        // The program's own name comes after the namespace and its maps.
        try eventually("a namespace of its own") {
            if isSleeping { return true }
            if tc_reap(pid) != -Int(EAGAIN) { throw Errno.notPermitted }
            return false
        }
        if UserNamespace(of: pid) == own { throw Errno.notPermitted }
    }

    private var isSleeping: Bool {
        let path = threadPath(pid, "comm")
        guard let file = try? FileDescriptor.workingDirectory.openPlain(path.ref, flags: .readOnly) else {
            return false
        }
        var text = [UInt8](repeating: 0, count: 16)
        let count = unsafe text.withUnsafeMutableBytes {
            unsafe (try? file.descriptor.readNext(into: $0)) ?? 0
        }
        return text[..<count] == Array("sleep\n".utf8)[...]
    }

    func end() {
        kill(pid, SIGKILL)
        try? eventually("ended") { tc_reap(pid) != -Int(EAGAIN) }
    }
}

/// A thread that is somebody, in groups, and waits to be seen.
private final class Member: Sendable {
    let id: Int32
    private let thread: WorkerThread
    private let stage: Stage

    init(
        of groups: [UInt32], uid: UInt32 = 41_234, gid: UInt32 = 43_210, capabilities: UInt64 = 0
    ) throws(Errno) {
        let stage = Stage()
        thread = try WorkerThread.spawn(name: "member") {
            #expect(unsafe tc_become_capable(uid, gid, groups, groups.count, capabilities) == 0)
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

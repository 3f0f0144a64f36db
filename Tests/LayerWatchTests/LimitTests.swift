import CTestCalls
import Glibc
import LayerWatch
import LinuxSystem
import Synchronization
import SystemPackage
import Testing
import UnionCore

@Suite("Limits of inotify")
struct LimitTests {
    #if THREAD_SANITIZER
        private static let mayFork = false
    #else
        private static let mayFork = true
    #endif

    /// In a child with a user namespace of its own, whose limit is nobody else's.
    @Test(.enabled(if: mayFork, "the thread sanitizer doesn't survive a fork"))
    func tooManyWatches() throws {
        let scene = try Scene()
        for name in ["a", "b", "c", "d"] as [PathRef] { try scene.root.write("", to: name) }
        // First here, where there is no such limit: what the runtime sets up at first use might wait in the
        // child for a thread that isn't there.
        #expect(LimitTests.watchWithLimit(in: scene) == 3)
        switch try Daemon.beginBackground() {
        case .child(let reporter):
            alarm(20)
            let isLimited = tc_unshare_users() == 0 && (try? LimitTests.setLimit("2")) != nil
            reporter.report(isLimited ? LimitTests.watchWithLimit(in: scene) : 255)
            _exit(0)
        case .parent(let waiter):
            let status = waiter.waitForStatus()
            try orSkip([.notPermitted], "no user namespaces here") { () throws(Errno) in
                if status == 255 { throw .notPermitted }
            }
            #expect(status == 0)
        }
    }

    /// Which of the steps fails with a limit of two, 0 when none does.
    private static func watchWithLimit(in scene: Scene) -> UInt8 {
        guard let watcher = try? Watcher() else { return 1 }
        func watch(_ name: PathRef, _ node: UInt64) -> Bool {
            guard let object = try? scene.root.openBeneath(name, flags: .path) else { return false }
            return watcher.watch(
                object.descriptor, for: NodeID(rawValue: node), layer: 0, as: .file)
        }
        guard watch("a", 5), watch("b", 6) else { return 2 }
        guard !watch("c", 7), watcher.refusalCount == 1, watcher.watchCount == 2 else { return 3 }
        guard watch("a", 7) else { return 4 }
        watcher.unwatch(NodeID(rawValue: 6))
        guard watch("c", 7), !watch("d", 8), watcher.refusalCount == 2 else { return 5 }
        return 0
    }

    private static func setLimit(_ limit: String) throws(Errno) {
        let file = try FileDescriptor.workingDirectory.openPlain(
            "/proc/sys/user/max_inotify_watches", flags: .writeOnly)
        let text = OwnedName(limit)
        _ = try unsafe file.descriptor.write(from: text.ref.bytes, at: 0)
    }

    @Test func theQueueOverflows() throws {
        let scene = try Scene(in: .memory, started: false)
        try scene.watch("", as: 5)
        let limit = try queueLimit()
        try #require(limit < 100_000)
        for number in 0...limit + 100 {
            let name = OwnedName("\(number)")
            try scene.root.makeNode(at: name.ref, mode: FileKind.regular.modeBits | 0o600)
        }
        try scene.start()
        scene.watcher.drain()
        #expect(scene.recorder.overflowCount == 1 && scene.watcher.overflowCount == 1)
        #expect(scene.recorder.take() == (0..<limit).map { "5/0 entry \($0)" })
        #expect(scene.watcher.eventCount == UInt64(limit))
        try scene.root.unlink(at: "0")
        #expect(scene.changes() == ["5/0 entry 0"])
        #expect(scene.recorder.overflowCount == 1)
    }

    private func queueLimit() throws -> Int {
        let file = try FileDescriptor.workingDirectory.openPlain(
            "/proc/sys/fs/inotify/max_queued_events", flags: .readOnly)
        let text = String(decoding: try file.descriptor.readToEnd(), as: UTF8.self)
        return try #require(Int(text.prefix { $0.isNumber }))
    }
}

import LayerWatch
import LinuxSystem
import Synchronization
import SystemPackage
import Testing
import UnionCore

@Suite("The watcher's threads")
struct ThreadTests {
    /// Nobody drains here but the thread.
    @Test func tellsByItself() throws {
        let scene = try Scene(started: false)
        let sink = try WakingSink()
        try scene.watcher.start(sink)
        try scene.watch("", as: 5)
        for _ in 0..<100 {
            try scene.root.makeDirectory("x")
            #expect(try sink.wakeUp.descriptor.poll(events: 1, timeout: 20_000) == 1)
            sink.wakeUp.clear()
            try scene.root.removeDirectory(at: "x")
            #expect(try sink.wakeUp.descriptor.poll(events: 1, timeout: 20_000) == 1)
            sink.wakeUp.clear()
        }
    }

    /// More rounds than a user usually may have instances.
    @Test func startsAndStops() throws {
        let directory = try TestDirectory(in: .disk)
        for _ in 0..<140 { try startAndStop(directory.root) }
    }

    private func startAndStop(_ root: FileDescriptor) throws {
        let recorder = Recorder()
        let watcher = try Watcher()
        #expect(watcher.watch(root, for: .root, layer: 0, as: .directory))
        try watcher.start(recorder)
        #expect(throws: Errno.alreadyInProcess) { try watcher.start(recorder) }
        try root.makeDirectory("x")
        watcher.drain()
        watcher.stop()
        watcher.stop()
        #expect(recorder.take() == ["1/0 entry x"])
        try root.removeDirectory(at: "x")
        watcher.drain()
        #expect(recorder.take() == [])
    }

    @Test func startsAgain() throws {
        let scene = try Scene()
        try scene.watch("", as: 5)
        scene.watcher.stop()
        try scene.root.makeDirectory("x")
        #expect(scene.changes() == [])
        try scene.start()
        #expect(scene.changes() == ["5/0 entry x"])
    }

    /// The sink isn't kept, nor the thread alive, by a watcher that was stopped or dropped.
    @Test(arguments: [true, false]) func leavesNothing(isStopped: Bool) throws {
        weak var sink: Recorder?
        weak var watcher: Watcher?
        do {
            let both = (Recorder(), try Watcher())
            try both.1.start(both.0)
            sink = both.0
            watcher = both.1
            if isStopped { both.1.stop() }
        }
        #expect(sink == nil && watcher == nil)
    }

    /// Whoever drains, changes come in their order, and are there when the drain is over.
    @Test func keepsTheOrder() throws {
        let scene = try Scene(in: .memory)
        try scene.watch("", as: 5)
        let isOver = Atomic<Bool>(false)
        let drainers = try (0..<3).map { _ in
            try WorkerThread.spawn(name: "drains") {
                while !isOver.load(ordering: .relaxed) { scene.watcher.drain() }
            }
        }
        var expected = [String]()
        var missing = 0
        for number in 0..<2000 {
            let name = OwnedName("\(number)")
            try scene.root.makeNode(at: name.ref, mode: FileKind.regular.modeBits | 0o600)
            expected.append("5/0 entry \(number)")
            if number % 10 != 0 { continue }
            scene.watcher.drain()
            if scene.watcher.eventCount != UInt64(expected.count) { missing += 1 }
        }
        isOver.store(true, ordering: .relaxed)
        for drainer in drainers { drainer.join() }
        #expect(missing == 0)
        #expect(scene.changes() == expected)
    }

    /// Somebody makes events faster than they are taken: who drains goes on when it has those that were there.
    @Test func endsWhileEventsCome() throws {
        let scene = try Scene(in: .memory, started: false)
        try scene.watch("", as: 5)
        for name in ["a", "b"] as [PathRef] { try scene.root.makeDirectory(name) }
        let sink = SlowSink()
        let isOver = Atomic<Bool>(false)
        let hasGivenUp = Atomic<Bool>(false)
        let maker = try WorkerThread.spawn(name: "makes") {
            // A drain that waits for the last event ends only when this gives up.
            let end = ContinuousClock.now + .seconds(60)
            while !isOver.load(ordering: .relaxed) {
                try? FileDescriptor.rename(from: scene.root, "a", to: scene.root, "b", flags: .exchange)
                guard ContinuousClock.now >= end else { continue }
                hasGivenUp.store(true, ordering: .relaxed)
                return
            }
        }
        try scene.watcher.start(sink)
        scene.watcher.drain()
        isOver.store(true, ordering: .relaxed)
        maker.join()
        let hasWaitedForAll = hasGivenUp.load(ordering: .relaxed)
        #expect(!hasWaitedForAll)
    }

    /// Watches come and go in several threads for the same objects while those change. Whatever is watched
    /// at the end is told of.
    @Test func manyAtOnce() throws {
        let scene = try Scene(in: .memory)
        for number in 0..<8 {
            let name = OwnedName("d\(number)")
            try scene.root.makeDirectory(name.ref)
        }
        let watchers = try (0..<3).map { index in
            try WorkerThread.spawn(name: "watches") { Self.watchAndForget(scene, UInt64(index)) }
        }
        let mutators = try (0..<2).map { index in
            try WorkerThread.spawn(name: "changes") { Self.change(scene, index) }
        }
        for thread in watchers + mutators { thread.join() }
        let changes = try scene.changes { () throws(Errno) in
            for number in 0..<8 {
                let name = OwnedName("d\(number)/last")
                try scene.root.makeDirectory(name.ref)
            }
        }
        let nodes = (0..<3).flatMap { index in (0..<8).map { (10 + index * 8 + $0, $0) } }
        #expect(Set(changes) == Set(nodes.map { "\($0.0)/\($0.1) entry last" }))
        #expect(scene.watcher.watchCount == 8 && scene.watcher.refusalCount == 0)
        for (node, _) in nodes { scene.unwatch(UInt64(node)) }
        #expect(scene.watcher.watchCount == 0)
    }

    /// Ends with all eight watched; the layer is the directory's number.
    private static func watchAndForget(_ scene: Scene, _ index: UInt64) {
        for round in 0..<300 {
            for number in 0..<8 {
                let name = OwnedName("d\(number)")
                let node = 10 + index * 8 + UInt64(number)
                #expect((try? scene.watch(name.ref, as: node, layer: number)) == true)
                if round < 299 && (round + number) % 2 == 0 { scene.unwatch(node) }
            }
        }
    }

    private static func change(_ scene: Scene, _ index: Int) {
        for round in 0..<1500 {
            let name = OwnedName("d\(round % 8)/x\(index)")
            try? scene.root.makeDirectory(name.ref)
            try? scene.root.removeDirectory(at: name.ref)
            if round % 100 == 0 { scene.watcher.drain() }
        }
    }
}

/// Takes longer for an event than it takes to make one.
private final class SlowSink: ChangeSink {
    private let sum = Atomic<UInt64>(0)
    func changed(_ event: ChangeEvent) { for _ in 0..<2_000 { sum.add(1, ordering: .relaxed) } }
    func overflowed() {}
    func mountsChanged() {}
}

/// Makes a descriptor readable whenever it is told something.
private final class WakingSink: ChangeSink {
    let wakeUp: WakeUp
    init() throws(Errno) { wakeUp = try WakeUp() }
    func changed(_ event: ChangeEvent) { wakeUp.raise() }
    func overflowed() {}
    func mountsChanged() {}
}

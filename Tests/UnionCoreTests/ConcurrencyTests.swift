import LinuxSystem
import Synchronization
import SystemPackage
import Testing
import UnionCore

/// A source of changes that never has any, so that everything is kept.
private final class SilentSource: ChangeSource {
    private let watched = Atomic<Int>(0)

    func watch(_ object: FileDescriptor, for node: NodeID, layer: Int, as kind: WatchedKind) -> Bool {
        watched.add(1, ordering: .relaxed)
        return true
    }

    func unwatch(_ node: NodeID) { watched.subtract(1, ordering: .relaxed) }
    func drain() {}
    var watchCount: Int { watched.load(ordering: .relaxed) }
    var eventCount: UInt64 { 0 }
    var overflowCount: UInt64 { 0 }
}

/// A kernel that keeps nothing.
private struct ForgetfulKernel: KernelCache {
    func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) { throw .noSuchFileOrDirectory }
    func dropNode(_ node: NodeID, content: Bool) throws(Errno) { throw .noSuchFileOrDirectory }
    func expireEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) { throw .noSuchFileOrDirectory }
}

/// One client of many on the same few names; whatever it meets must be an errno.
private struct RandomClient {
    let union: Union
    var random: UInt64

    mutating func next(_ bound: UInt64) -> UInt64 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return random >> 33 % bound
    }

    mutating func run(_ steps: Int) {
        for _ in 0..<steps { try? step() }
    }

    private mutating func step() throws(Errno) {
        let directory = try union.lookup(.root, next(2) == 0 ? "a" : "b", root).entry
        defer { union.forget(directory.node, count: 1) }
        let name = OwnedName("n\(next(6))")
        let other = OwnedName("n\(next(6))")
        try act(directory.node, name.ref, other.ref)
    }

    private mutating func act(_ directory: NodeID, _ name: PathRef, _ other: PathRef) throws(Errno) {
        switch next(8) {
        case 0: union.forget(try union.makeDirectory(directory, name, mode: 0o755, root).node, count: 1)
        case 1: try union.removeDirectory(directory, name, root)
        case 2: try union.unlink(directory, name, root)
        case 3: try union.rename(directory, name, to: directory, other, flags: 0, root)
        case 4: try create(directory, name)
        case 5: try list(directory)
        case 6: try link(directory, name, other)
        default: try look(directory, name)
        }
    }

    private mutating func list(_ directory: NodeID) throws(Errno) {
        let most = next(6)
        var last: UInt64 = 0
        var count = 0
        var told: [NodeID] = []
        let part = try union.readDirectory(of: directory, offset: 0, room: 4096, root, withFiles: true) {
            item, entry in
            guard count < most else { return false }
            last = item.nextOffset
            count += 1
            if let entry { told.append(entry.node) }
            return true
        }
        union.finish(part)
        for node in told { union.forget(node, count: 1) }
        let rest = try union.readDirectory(
            of: directory, offset: last, room: 4096, root, withFiles: true
        ) { _, _ in true }
        union.takeBack(rest)
    }

    private func create(_ directory: NodeID, _ name: PathRef) throws(Errno) {
        let flags = OpenFlags.readWrite.union(.create).rawValue
        let (entry, file) = try union.create(directory, name, mode: 0o644, flags: flags, root)
        union.release(file.handle)
        union.forget(entry.node, count: 1)
    }

    private func link(_ directory: NodeID, _ name: PathRef, _ other: PathRef) throws(Errno) {
        let entry = try union.lookup(directory, name, root).entry
        defer { union.forget(entry.node, count: 1) }
        union.forget(try union.link(entry.node, to: directory, other, root).node, count: 1)
    }

    private func look(_ directory: NodeID, _ name: PathRef) throws(Errno) {
        let entry = try union.lookup(directory, name, root).entry
        defer { union.forget(entry.node, count: 1) }
        _ = try union.attributes(of: entry.node, handle: nil)
    }
}

@Suite struct ConcurrencyTests {
    @Test(arguments: [false, true]) func manyClientsOnFewNames(isWatched: Bool) throws {
        let fixture = try Fixture(
            lowers: 2, watcher: isWatched ? SilentSource() : nil,
            before: { shell("cd \($0); mkdir -p upper/a lower1/a lower2/b lower1/b; echo > lower2/b/n1") })
        try fixture.union.startCoherence(ForgetfulKernel())
        var threads: [WorkerThread] = []
        for seed in 1...4 {
            let union = fixture.union
            threads.append(
                try WorkerThread.spawn(name: "client") {
                    var client = RandomClient(union: union, random: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
                    client.run(1500)
                })
        }
        for thread in threads { thread.join() }
        fixture.union.synchronizeChanges()
        fixture.union.stopCoherence()
        #expect(fixture.union.nodeCount == 0)
        #expect(try fixture.names("") == ["a", "b"])
    }
}

import LayerWatch
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

@Suite("Whom a watch is for")
struct OwnerTests {
    @Test func oneObjectOfTwoNodes() throws {
        let scene = try Scene()
        try scene.root.write("", to: "x")
        try scene.watch("x", as: 5)
        try scene.watch("x", as: 6)
        try scene.watch("x", as: 6, layer: 3)
        #expect(scene.watcher.watchCount == 1)
        func change() throws -> [String] {
            try scene.changes { () throws(Errno) in try scene.root.changeMode(of: "x", to: 0o600) }
        }
        #expect(try change() == ["5/0 object", "6/0 object", "6/3 object"])
        scene.unwatch(5)
        #expect(Set(try change()) == ["6/0 object", "6/3 object"])
        scene.unwatch(6)
        #expect(try change() == [])
        #expect(scene.watcher.watchCount == 0)
    }

    /// The second owner takes the first one's place in the table.
    @Test(arguments: [[5, 6, 7], [7, 6, 5], [6, 7, 5]] as [[UInt64]])
    func inAnyOrder(nodes: [UInt64]) throws {
        let scene = try Scene()
        var left: Set<UInt64> = [5, 6, 7]
        for node in left.sorted() { try scene.watch("", as: node) }
        for node in nodes {
            scene.unwatch(node)
            left.remove(node)
            let changes = try scene.changes { () throws(Errno) in
                try scene.root.makeDirectory("x")
                try scene.root.removeDirectory(at: "x")
            }
            #expect(Set(changes) == Set(left.map { "\($0)/0 entry x" }))
        }
        #expect(scene.watcher.watchCount == 0)
    }

    /// A merged directory: several objects of one node.
    @Test func oneNodeOfSeveralObjects() throws {
        let scene = try Scene()
        for name in ["a", "b", "c"] as [PathRef] { try scene.root.makeDirectory(name) }
        try scene.watch("a", as: 5, layer: 0)
        try scene.watch("b", as: 5, layer: 1)
        try scene.watch("c", as: 5, layer: 2)
        #expect(scene.watcher.watchCount == 3)
        try scene.root.write("", to: "b/x")
        try scene.root.write("", to: "c/y")
        try scene.root.removeDirectory(at: "a")
        #expect(scene.changes() == ["5/1 entry x", "5/2 entry y", "5/0 gone"])
        #expect(scene.watcher.watchCount == 2)
        scene.unwatch(5)
        #expect(scene.watcher.watchCount == 0)
    }

    @Test func watchedAgain() throws {
        let scene = try Scene()
        for _ in 0..<5 { try scene.watch("", as: 5) }
        #expect(scene.watcher.watchCount == 1)
        try scene.root.makeDirectory("x")
        scene.watcher.drain()
        #expect(scene.recorder.take() == ["5/0 entry x"])
        scene.unwatch(5)
        #expect(scene.watcher.watchCount == 0)
    }

    /// What happened before belongs to a watch that has ended; its number doesn't come again.
    @Test func forgottenAndWatchedAgain() throws {
        let scene = try Scene(started: false)
        try scene.watch("", as: 5)
        try scene.root.makeDirectory("old")
        scene.unwatch(5)
        try scene.watch("", as: 6)
        try scene.root.makeDirectory("new")
        try scene.start()
        #expect(scene.changes() == ["6/0 entry new"])
        #expect(scene.watcher.watchCount == 1)
    }

    /// The kernel has taken the watch away, and that isn't read yet.
    @Test func forgottenAfterItsObject() throws {
        let scene = try Scene(started: false)
        try scene.root.makeDirectory("x")
        try scene.watch("x", as: 5)
        try scene.root.removeDirectory(at: "x")
        scene.unwatch(5)
        #expect(scene.watcher.watchCount == 0)
        try scene.root.makeDirectory("x")
        try scene.watch("x", as: 5)
        try scene.start()
        #expect(scene.changes() == [])
        #expect(scene.watcher.watchCount == 1)
        scene.unwatch(7)
    }

    @Test func refused() throws {
        let scene = try Scene()
        try scene.root.write("", to: "x")
        let file = try scene.root.openBeneath("x", flags: .path)
        let node = NodeID(rawValue: 5)
        #expect(!scene.watcher.watch(file.descriptor, for: node, layer: 0, as: .directory))
        #expect(scene.watcher.refusalCount == 1 && scene.watcher.watchCount == 0)
        #expect(scene.watcher.watch(file.descriptor, for: node, layer: 0, as: .file))
        #expect(scene.watcher.refusalCount == 1 && scene.watcher.watchCount == 1)
    }
}

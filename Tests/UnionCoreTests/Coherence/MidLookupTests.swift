import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// What happens while a request is served: between its look and the watch, and between the watch and the reply.
@Suite struct MidLookupTests {
    /// The change of a file comes just before it is watched.
    @Test(arguments: [
        "chmod 600 lower1/f", "echo more >>lower1/f", "echo 2 >lower1/g; mv lower1/g lower1/f", "rm lower1/f",
    ])
    func aFile(change: String) throws {
        let scene = try CoherenceScene("echo 1 >lower1/f")
        scene.changes.beforeWatching(scene.path("lower1/f"), scene.stranger(change))
        _ = scene.kernel.exists("f")
        scene.settle()
        try scene.expectTruth("f")
    }

    /// The change of a directory: of itself, of what is in it, and of what it is.
    @Test(arguments: [
        "chmod 700 lower1/d", "touch lower1/d/none", "rmdir lower1/d; mkdir lower1/d; touch lower1/d/none",
        "mv lower1/d lower1/e", "rmdir lower1/d; touch lower1/d",
    ])
    func aDirectory(change: String) throws {
        let scene = try CoherenceScene("mkdir lower1/d")
        scene.changes.beforeWatching(scene.path("lower1/d"), scene.stranger(change))
        for path in ["d", "d/none", "e"] { _ = scene.kernel.exists(path) }
        scene.settle()
        try scene.expectTruth("d", "d/none", "e")
        if scene.kernel.exists("d/none") { #expect(try scene.kernel.list("d") == ["none"]) }
    }

    /// Another directory comes to back it, with what was missing.
    @Test(arguments: ["upper", "lower2"]) func anotherLayer(layer: String) throws {
        let scene = try CoherenceScene(lowers: 2, "mkdir -p lower1/d/m; touch lower1/d/f")
        scene.changes.beforeWatching(
            scene.path("lower1/d"), scene.stranger("mkdir \(layer)/d; touch \(layer)/d/new"))
        let held = try scene.kernel.hold("d")
        for path in ["d/new", "d/f"] { _ = scene.kernel.exists(path) }
        let mount = try scene.kernel.mount(on: "d/m")
        scene.settle()
        try scene.expectTruth("d", "d/new", "d/f", "d/m")
        #expect(scene.kernel.exists("new", from: held))
        #expect(scene.kernel.isMounted(mount))
    }

    /// The same, and it is dealt with before the reply: what has ceased to be what it was isn't made that again.
    @Test(arguments: ["upper", "lower2"]) func anotherLayerAndItsEvents(layer: String) throws {
        let scene = try CoherenceScene(lowers: 2, "mkdir -p lower1/d/m; touch lower1/d/f")
        let (sink, kernel) = (scene.fixture.union.changeSink, scene.kernel)
        let change = scene.stranger("mkdir \(layer)/d; touch \(layer)/d/new")
        scene.changes.beforeWatching(scene.path("lower1/d")) {
            change()
            sink.changed(ChangeEvent(node: .root, layer: 0, kind: .entry, name: "d"))
            // Something is told of this one in any case.
            sink.changed(ChangeEvent(node: .root, layer: 0, kind: .object))
            kernel.state.wait { $0.isHeldUp || $0.sent.contains(.node(.root, content: false)) }
        }
        let held = try scene.kernel.hold("d")
        #expect(scene.kernel.exists("d/new") || !scene.kernel.exists("d/none"))
        scene.settle()
        #expect(scene.kernel.exists("new", from: held))
        try scene.expectTruth("d", "d/new", "d/f")
        // What backs it by now is watched, too.
        #expect(!scene.kernel.exists("d/late"))
        scene.underneath("touch \(layer)/d/late")
        scene.settle()
        try scene.expectTruth("d/late")
    }

    /// A mark is set above while a directory below is looked at.
    @Test func aMarkAbove() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/b upper/a/b; touch lower1/a/b/l upper/a/b/u")
        try scene.kernel.stat("a")
        scene.settle()
        scene.changes.beforeWatching(
            scene.path("upper/a/b"), scene.stranger("setfattr -n user.overlay.opaque -v y upper/a"))
        let held = try scene.kernel.hold("a/b")
        _ = scene.kernel.exists("l", from: held)
        scene.settle()
        #expect(!scene.kernel.exists("l", from: held))
        try scene.expectTruth("a", "a/b", "a/b/l", "a/b/u")
        #expect(try scene.kernel.list("a/b") == ["u"])
    }

    /// A stranger's directory comes to stand where a skeleton was about to be put: it isn't noted as the union's own.
    @Test func aStrangersDirectoryInASkeletonsPlace() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/m; touch lower1/a/l")
        let kernel = scene.kernel
        let mount = try kernel.mount(on: "a/m")
        let held = try kernel.hold("a")
        for name in ["his", "none"] { #expect(!kernel.exists("a/\(name)")) }
        try kernel.list("a")
        scene.settle()
        scene.changes.beforeNextWatch(scene.stranger("mkdir upper/a; touch upper/a/his"))
        try kernel.create("a/new")
        scene.settle()
        #expect(kernel.exists("his", from: held))
        #expect(try kernel.names(in: held).sorted() == ["his", "l", "m", "new"])
        #expect(kernel.isMounted(mount))
        try scene.expectTruth("a", "a/his", "a/new", "a/l", "a/none")
        scene.underneath("rm upper/a/his")
        scene.settle()
        #expect(!kernel.exists("his", from: held))
    }
}

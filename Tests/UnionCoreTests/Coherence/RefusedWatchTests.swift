import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A directory that can't be watched is degraded: none of its names is kept, nor anything below it.
@Suite struct RefusedWatchTests {
    private func expectNothingKept(
        _ scene: CoherenceScene, _ paths: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for path in paths {
            _ = scene.kernel.exists(path)
            scene.kernel.forgetRecords()
            _ = scene.kernel.exists(path)
            #expect(!scene.kernel.requests.isEmpty, "\(path)", sourceLocation: sourceLocation)
        }
    }

    @Test func aDirectory() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/b; touch lower1/a/f lower1/a/b/g")
        scene.changes.refuse(scene.path("lower1/a"))
        expectNothingKept(scene, "a/f", "a/b/g", "a/none", "a/b/none")
        scene.underneath("rm lower1/a/f lower1/a/b/g; touch lower1/a/none lower1/a/b/none")
        try scene.expectTruth("a/f", "a/b/g", "a/none", "a/b/none")
        #expect(try scene.kernel.list("a").sorted() == ["b", "none"])
        scene.underneath("rm lower1/a/none")
        scene.settle()
        #expect(try scene.kernel.list("a") == ["b"])
    }

    /// One that comes to back a directory: what is kept of it goes, and nothing is from then on.
    @Test(arguments: ["upper", "lower2"]) func anotherLayer(layer: String) throws {
        let scene = try CoherenceScene(
            lowers: 2, "mkdir -p lower1/a/m \(layer)/aside; touch lower1/a/f \(layer)/aside/new")
        let mount = try scene.kernel.mount(on: "a/m")
        let held = try scene.kernel.hold("a")
        try scene.kernel.stat("a/f")
        #expect(!scene.kernel.exists("a/new"))
        scene.settle()
        scene.changes.refuse(scene.path("\(layer)/aside"))
        scene.underneath("mv \(layer)/aside \(layer)/a")
        scene.settle()
        #expect(scene.kernel.exists("new", from: held))
        #expect(scene.kernel.isMounted(mount))
        scene.underneath("touch \(layer)/a/later; rm \(layer)/a/new")
        #expect(scene.kernel.exists("a/later"))
        #expect(!scene.kernel.exists("a/new"))
        scene.underneath("rm \(layer)/a/later")
        #expect(!scene.kernel.exists("a/later"))
    }

    /// The skeleton that a client's change makes.
    @Test func aSkeleton() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/m; touch lower1/a/f")
        let mount = try scene.kernel.mount(on: "a/m")
        try scene.kernel.stat("a/f")
        scene.settle()
        scene.changes.refuseNext()
        try scene.kernel.create("a/new")
        scene.settle()
        scene.underneath("rm upper/a/new; echo covers >upper/a/f")
        scene.settle()
        try scene.expectTruth("a/new", "a/f")
        #expect(try scene.kernel.list("a").sorted() == ["f", "m"])
        #expect(scene.kernel.isMounted(mount))
    }

    /// A file: its name is kept, its attributes for a moment.
    @Test func aFile() throws {
        let scene = try CoherenceScene("echo 1 >lower1/f")
        scene.changes.refuse(scene.path("lower1/f"))
        try scene.kernel.stat("f")
        scene.settle()
        scene.underneath("echo more >>lower1/f")
        scene.settle()
        scene.kernel.letTimePass()
        try scene.expectTruth("f")
    }
}

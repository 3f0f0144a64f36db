import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Objects that have lost their names, and whom somebody still holds.
@Suite struct RemovedTests {
    private func scene(_ layers: String = ":") throws -> CoherenceScene {
        try CoherenceScene(
            "mkdir -p lower1/a/d lower1/b upper/up/d; echo 1 >lower1/a/f; echo 2 >upper/up/f; \(layers)")
    }

    /// What needs no name goes on as on a local filesystem; nothing is found in it.
    private func expectRemoved(
        _ scene: CoherenceScene, _ held: NodeID, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let kernel = scene.kernel
        #expect(try kernel.attributes(of: held).linkCount == 0, sourceLocation: sourceLocation)
        try kernel.changeMode(of: held, 0o711)
        #expect(try kernel.attributes(of: held).mode & 0o777 == 0o711, sourceLocation: sourceLocation)
        #expect(!kernel.exists("f", from: held), sourceLocation: sourceLocation)
        #expect(throws: Errno.noSuchFileOrDirectory, sourceLocation: sourceLocation) {
            try kernel.create("new", from: held)
        }
        kernel.release(held)
        #expect(kernel.state.withLock { $0.tree.inodes[held] } == nil, sourceLocation: sourceLocation)
    }

    @Test(arguments: ["a/d", "up/d"]) func aDirectoryByAClient(path: String) throws {
        let scene = try scene()
        let held = try scene.kernel.hold(path)
        scene.settle()
        try scene.kernel.rmdir(path)
        try expectRemoved(scene, held)
    }

    @Test(arguments: ["a/d", "up/d"]) func aDirectoryUnderneath(path: String) throws {
        let scene = try scene()
        let held = try scene.kernel.hold(path)
        let mount = try scene.kernel.mount(on: path)
        scene.settle()
        scene.underneath("rmdir lower1/\(path) upper/\(path) 2>/dev/null || true")
        scene.settle()
        #expect(!scene.kernel.exists(path))
        #expect(!scene.kernel.isMounted(mount))
        #expect(try scene.kernel.names(in: held) == [])
        try expectRemoved(scene, held)
    }

    /// With all that is in it; names in it are known, and go.
    @Test func aTreeUnderneath() throws {
        let scene = try scene()
        let held = try scene.kernel.hold("a")
        try scene.kernel.stat("a/f")
        #expect(!scene.kernel.exists("a/none"))
        scene.settle()
        scene.underneath("rm -r lower1/a")
        scene.settle()
        #expect(try scene.kernel.names(in: held) == [])
        try expectRemoved(scene, held)
    }

    /// Moved out of the layer it is as good as removed.
    @Test func aTreeMovedOut() throws {
        let scene = try scene()
        let held = try scene.kernel.hold("a")
        try scene.kernel.stat("a/f")
        scene.settle()
        scene.underneath("mv lower1/a aside")
        scene.settle()
        #expect(!scene.kernel.exists("a"))
        #expect(!scene.kernel.exists("f", from: held))
        #expect(try scene.kernel.names(in: held) == [])
        scene.underneath("touch aside/new")
        scene.settle()
        #expect(!scene.kernel.exists("new", from: held))
        scene.kernel.release(held)
    }

    /// A directory of the same name made by a client is another one.
    @Test func aDirectoryMadeAgain() throws {
        let scene = try scene()
        let held = try scene.kernel.hold("up/d")
        try scene.kernel.rmdir("up/d")
        try scene.kernel.mkdir("up/d")
        try scene.kernel.create("up/d/f")
        scene.settle()
        #expect(try scene.kernel.walk("up/d") != held)
        #expect(scene.kernel.exists("up/d/f"))
        try expectRemoved(scene, held)
    }

    /// Who has walked to a file and opens it finds it, though others have removed it or put another one in its place.
    @Test(arguments: ["unlink", "rename"]) func aFileByAClient(change: String) throws {
        let scene = try scene("echo 3 >upper/up/g")
        let union = scene.fixture.union
        let held = try scene.kernel.hold("up/f")
        try scene.kernel.stat("up/g")
        scene.settle()
        if change == "unlink" {
            try scene.kernel.unlink("up/f")
        } else {
            try scene.kernel.rename("up/g", "up/f")
        }
        #expect(try scene.kernel.attributes(of: held).linkCount == 0)
        let file = try union.open(held, flags: 0, root)
        union.release(file.handle)
        try scene.kernel.changeMode(of: held, 0o600)
        scene.settle()
        #expect(try scene.kernel.attributes(of: held).mode & 0o777 == 0o600)
        scene.kernel.release(held)
        #expect(scene.kernel.state.withLock { $0.tree.inodes[held] } == nil)
    }

    /// By a path nobody ever gets ESTALE: where the path leads to something, it is found.
    @Test func pathsWhileFilesAreReplacedUnderneath() throws {
        let scene = try scene()
        try scene.kernel.open("a/f")
        scene.settle()
        for number in 0..<3 {
            scene.underneath("echo \(number) >lower1/a/g; mv lower1/a/g lower1/a/f")
            try scene.kernel.open("a/f")
            scene.underneath("echo \(number) >lower1/a/g; mv lower1/a/g lower1/a/f")
            try scene.kernel.stat("a/f")
        }
        scene.settle()
        try scene.expectTruth("a/f")
    }

    /// Directories as well.
    @Test func pathsWhileDirectoriesAreReplacedUnderneath() throws {
        let scene = try scene("mkdir lower1/spare; touch lower1/spare/f")
        let kernel = scene.kernel
        try kernel.stat("a/f")
        scene.settle()
        for turn in 0..<4 {
            scene.underneath("mv lower1/a lower1/old; mv lower1/spare lower1/a; mv lower1/old lower1/spare")
            #expect(kernel.exists("a/f"), "turn \(turn)")
            if turn > 1 { scene.settle() }
        }
        scene.settle()
        try scene.expectTruth("a", "a/f", "spare/f", "spare/d", "a/d")
    }

    /// Nodes go when nothing refers to them, and their watches.
    @Test func watchesGoWithTheNodes() throws {
        let scene = try scene()
        let roots = scene.changes.watchCount
        try scene.kernel.stat("a/f")
        try scene.kernel.stat("a/d")
        scene.settle()
        #expect(scene.changes.watchCount == roots + 3)
        scene.underneath("rm -r lower1/a")
        scene.settle()
        #expect(!scene.kernel.exists("a"))
        scene.kernel.sendForgets()
        #expect(scene.fixture.union.nodeCount == 0)
        #expect(scene.changes.watchCount == roots)
    }

    /// It is there still, in its layer. Another one that lets nothing of it show has come by its name, or by that of
    /// what it is in, after it had gone from the union.
    @Test(arguments: ["a", "a/d"]) func aHiddenDirectory(by path: String) throws {
        let scene = try scene(
            "touch lower1/a/d/f; mkdir -p upper/a upper/o/d; touch upper/o/d/g upper/o/g; setfattr -n user.overlay.opaque -v y upper/o"
        )
        let held = try scene.kernel.hold("a/d")
        try scene.kernel.stat("a/d/f")
        scene.settle()
        scene.settle(after: "rm -rf upper/\(path); mknod upper/\(path) c 0 0")
        scene.settle(after: "rm upper/\(path); mv upper/o upper/\(path)")
        #expect(!scene.kernel.exists("g", from: held))
        #expect(try scene.kernel.names(in: held) == [])
        try expectRemoved(scene, held)
    }
}

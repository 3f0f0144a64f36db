import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A name came, went or moved in a watched directory: that name goes, unless the union shows just what the kernel
/// knows there; the directory's attributes and listing go last.
@Suite struct EntryEventTests {
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene(
            lowers: 2,
            "mkdir -p lower1/a lower1/b lower2/a upper/a; for n in x y; do echo $n >lower1/a/$n; done")
        for path in ["a/x", "a/y", "b"] { try scene.kernel.stat(path) }
        for path in ["a/none", "b/none"] { #expect(!scene.kernel.exists(path)) }
        try scene.kernel.list("a")
        scene.settleAndForget()
        return scene
    }

    @Test func aNameThatComes() throws {
        let scene = try scene()
        let name = try scene.kernel.key("a/none")
        scene.underneath("echo new >lower1/a/none")
        scene.settle()
        #expect(scene.kernel.droppedNames == [name])
        #expect(scene.kernel.sent.last == .node(name.parent, content: true))
        try scene.expectTruth("a/none", "a")
        #expect(try scene.kernel.list("a").sorted() == ["none", "x", "y"])
    }

    @Test func aNameThatGoes() throws {
        let scene = try scene()
        let name = try scene.kernel.key("a/x")
        scene.underneath("rm lower1/a/x")
        scene.settle()
        #expect(scene.kernel.droppedNames == [name])
        #expect(scene.kernel.sent.last == .node(name.parent, content: true))
        try scene.expectTruth("a/x", "a")
        #expect(try scene.kernel.list("a") == ["y"])
    }

    @Test func aNameThatMoves() throws {
        let scene = try scene()
        let names = [try scene.kernel.key("a/x"), try scene.kernel.key("b/none")]
        scene.underneath("mv lower1/a/x lower1/b/none")
        scene.settle()
        #expect(Set(scene.kernel.droppedNames) == Set(names))
        try scene.expectTruth("a/x", "b/none", "a", "b")
    }

    @Test func aNameThatIsReplaced() throws {
        let scene = try scene()
        let names = [try scene.kernel.key("a/x"), try scene.kernel.key("a/y")]
        scene.underneath("mv lower1/a/x lower1/a/y")
        scene.settle()
        #expect(Set(scene.kernel.droppedNames) == Set(names))
        try scene.expectTruth("a/x", "a/y")
    }

    /// What comes and goes before anybody looks is what it was: the kernel knows it as missing.
    @Test func aNameThatIsAsItWas() throws {
        let scene = try scene()
        scene.underneath("echo 1 >lower1/a/none; rm lower1/a/none")
        scene.settle()
        #expect(scene.kernel.droppedNames == [])
        scene.kernel.forgetRecords()
        #expect(!scene.kernel.exists("a/none"))
        #expect(scene.kernel.requests == [])
    }

    /// The event says what the kernel has learnt meanwhile.
    @Test func aNameThatTheKernelKnows() throws {
        let scene = try scene()
        scene.changes.tell(.entry, at: scene.path("lower1/a"), "x")
        scene.settle()
        #expect(scene.kernel.droppedNames == [])
        scene.kernel.forgetRecords()
        try scene.kernel.walk("a/x")
        #expect(scene.kernel.requests == [])
        try scene.expectTruth("a/x", "a")
    }

    /// What a higher layer covers comes and goes unseen.
    @Test func aNameThatIsCovered() throws {
        let scene = try scene()
        let mount = try scene.kernel.mount(on: "a/x")
        scene.underneath("echo low >lower2/a/x; mv lower2/a/x lower2/a/y; rm lower2/a/y")
        scene.settle()
        #expect(scene.kernel.droppedNames == [])
        #expect(scene.kernel.isMounted(mount))
        try scene.expectTruth("a/x", "a/y", "a")
    }

    /// What comes to cover a name is another object.
    @Test func aNameThatBecomesCovered() throws {
        let scene = try scene()
        let name = try scene.kernel.key("a/x")
        scene.underneath("echo upper >upper/a/x")
        scene.settle()
        #expect(scene.kernel.droppedNames == [name])
        try scene.expectTruth("a/x", "a")
    }

    /// Names that exist are hidden by a whiteout, and come back when it goes.
    @Test func aNameThatIsWhitedOut() throws {
        let scene = try scene()
        let name = try scene.kernel.key("a/x")
        scene.underneath("mknod upper/a/x c 0 0")
        scene.settle()
        #expect(scene.kernel.droppedNames == [name])
        try scene.expectTruth("a/x", "a")
        scene.settleAndForget()
        scene.underneath("rm upper/a/x")
        scene.settle()
        #expect(scene.kernel.droppedNames == [name])
        try scene.expectTruth("a/x", "a")
    }

    /// A directory in another's place is another one, and what is mounted on it goes with it.
    @Test func aDirectoryThatIsReplaced() throws {
        let scene = try scene()
        let before = try scene.kernel.walk("b")
        let mount = try scene.kernel.mount(on: "b")
        scene.underneath("rmdir lower1/b; mkdir lower1/b; echo 1 >lower1/b/none")
        scene.settle()
        #expect(scene.kernel.droppedNames.contains(NameKey(.root, "b")))
        #expect(try scene.kernel.walk("b") != before)
        #expect(!scene.kernel.isMounted(mount))
        try scene.expectTruth("b", "b/none")
    }

    /// Also where somebody stands in it: he finds nothing there any more.
    @Test func aDirectoryThatIsReplacedUnderSomebody() throws {
        let scene = try scene()
        let held = try scene.kernel.hold("b")
        scene.underneath("rmdir lower1/b; mkdir lower1/b; echo 1 >lower1/b/none")
        scene.settle()
        #expect(!scene.kernel.exists("none", from: held))
        #expect(scene.kernel.exists("b/none"))
        scene.kernel.release(held)
    }

    /// A directory that somebody stands in is the same one wherever it is moved.
    @Test func aDirectoryThatMovesWithSomebodyInIt() throws {
        let scene = try scene()
        let held = try scene.kernel.hold("b")
        scene.underneath("echo 1 >lower1/b/f; mv lower1/b lower1/a/b")
        scene.settle()
        #expect(try scene.kernel.walk("a/b") == held)
        #expect(scene.kernel.exists("f", from: held))
        #expect(!scene.kernel.exists("b"))
        scene.underneath("rm lower1/a/b/f")
        scene.settle()
        #expect(!scene.kernel.exists("f", from: held))
        scene.kernel.release(held)
    }
}

import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Attributes or content of a watched object changed: its attributes go, and no name. A mark on a directory changes what
/// it shows: names in it go that show something else now.
@Suite struct ObjectEventTests {
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene("mkdir -p lower1/a/d upper/a; echo 1 >lower1/a/f; echo u >upper/a/u")
        for path in ["a/f", "a/u", "a/d"] { try scene.kernel.stat(path) }
        try scene.kernel.list("a")
        #expect(!scene.kernel.exists("a/none"))
        scene.settleAndForget()
        return scene
    }

    @Test(arguments: ["chmod 600 lower1/a/f", "echo more >>lower1/a/f", "touch -d @1000 lower1/a/f"])
    func aFile(change: String) throws {
        let scene = try scene()
        scene.settle(after: change)
        #expect(scene.kernel.droppedNames == [])
        #expect(scene.kernel.sent.contains(.node(try scene.kernel.walk("a/f"), content: false)))
        try scene.expectTruth("a/f", "a")
    }

    /// Of a directory that several layers back each one counts.
    @Test(arguments: ["chmod 700 upper/a", "chmod 700 lower1/a", "chmod 700 lower1/a/d"])
    func aDirectory(change: String) throws {
        let scene = try scene()
        scene.settle(after: change)
        #expect(scene.kernel.droppedNames == [])
        try scene.expectTruth("a", "a/d")
    }

    /// A second link made elsewhere is told by the file's own watch.
    @Test func linksOfAFile() throws {
        let scene = try scene()
        scene.settle(after: "mkdir lower1/other; ln lower1/a/f lower1/other/f")
        try scene.expectTruth("a/f")
        scene.settle(after: "chmod 600 lower1/other/f")
        try scene.expectTruth("a/f")
        scene.settle(after: "rm lower1/other/f")
        try scene.expectTruth("a/f")
    }

    /// An equal look doesn't mean that the kernel has it: another one may be on its way.
    @Test func aFileThatIsAsItWas() throws {
        let scene = try scene()
        let node = try scene.kernel.walk("a/f")
        scene.underneath("chmod 600 lower1/a/f")
        let late = try scene.kernel.holdAttributes(of: node)
        scene.settle(after: "chmod 644 lower1/a/f")
        try late.arrive()
        try scene.expectTruth("a/f")
    }

    /// What a mark shuts out goes; the directory and what is mounted on the rest stays.
    @Test func aDirectoryThatIsMarkedComplete() throws {
        let scene = try scene()
        let (held, mount) = (try scene.kernel.hold("a"), try scene.kernel.mount(on: "a/u"))
        let hidden = [NameKey(held, "f"), NameKey(held, "d")]
        scene.settle(after: "setfattr -n user.overlay.opaque -v y upper/a")
        #expect(Set(scene.kernel.droppedNames) == Set(hidden))
        #expect(scene.kernel.isMounted(mount))
        #expect(try scene.kernel.walk("a") == held)
        #expect(!scene.kernel.exists("f", from: held))
        #expect(try scene.kernel.names(in: held) == ["u"])
        try scene.expectTruth("a", "a/f", "a/u", "a/d")
    }

    /// And the other way round: names come that were known as missing.
    @Test func aDirectoryThatIsNoLongerComplete() throws {
        let scene = try CoherenceScene(
            """
            mkdir -p lower1/a/d upper/a; echo 1 >lower1/a/f; echo u >upper/a/u
            setfattr -n user.overlay.opaque -v y upper/a
            """)
        let (held, mount) = (try scene.kernel.hold("a"), try scene.kernel.mount(on: "a/u"))
        for name in ["f", "none"] { #expect(!scene.kernel.exists("a/\(name)")) }
        scene.settleAndForget()
        scene.settle(after: "setfattr -x user.overlay.opaque upper/a")
        #expect(!scene.kernel.droppedNames.contains(NameKey(held, "none")))
        #expect(!scene.kernel.droppedNames.contains(NameKey(held, "u")))
        #expect(scene.kernel.isMounted(mount))
        #expect(scene.kernel.exists("f", from: held))
        #expect(try scene.kernel.list("a").sorted() == ["d", "f", "u"])
        try scene.expectTruth("a", "a/f", "a/u", "a/d")
    }
}

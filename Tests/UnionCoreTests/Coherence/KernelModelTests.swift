import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// The scripted kernel itself: what it keeps, and what makes it go.
@Suite struct KernelModelTests {
    @Test func warmNamesAttributesAndListingsSendNothing() throws {
        let scene = try CoherenceScene("mkdir lower1/a; echo 1 >lower1/a/f")
        #expect(try scene.kernel.stat("a/f").size == 2)
        #expect(!scene.kernel.exists("a/missing"))
        #expect(try scene.kernel.list("a") == ["f"])
        scene.settleAndForget()
        #expect(try scene.kernel.stat("a/f").size == 2)
        #expect(!scene.kernel.exists("a/missing"))
        #expect(try scene.kernel.list("a") == ["f"])
        #expect(scene.kernel.requests == [])
        #expect(scene.kernel.sent == [])
    }

    @Test func nodesThatNothingRefersToAreForgotten() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/b; echo 1 >lower1/a/b/f")
        let key = try scene.kernel.key("a")
        try scene.kernel.stat("a/b/f")
        let held = try scene.kernel.hold("a/b")
        #expect(scene.fixture.union.nodeCount == 3)
        try scene.kernel.dropEntry(key.parent, "a")
        scene.kernel.sendForgets()
        #expect(scene.fixture.union.nodeCount == 2)
        #expect(scene.kernel.exists("", from: held))
        scene.kernel.release(held)
    }

    @Test func droppedNamesTakeTheirMounts() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/b")
        let mount = try scene.kernel.mount(on: "a/b")
        #expect(!scene.kernel.exists("a/none"))
        let key = try scene.kernel.key("a/none")
        try scene.kernel.dropEntry(key.parent, "none")
        try scene.kernel.dropNode(key.parent, content: true)
        #expect(scene.kernel.isMounted(mount))
        try scene.kernel.dropEntry(.root, "a")
        #expect(!scene.kernel.isMounted(mount))
    }

    @Test func dropsWaitForRepliesInTheirDirectory() throws {
        let scene = try CoherenceScene("mkdir lower1/a; echo 1 >lower1/a/f")
        let late = try scene.kernel.holdLookup(of: "a/f")
        scene.underneath("rm lower1/a/f")
        scene.settle()
        #expect(!scene.kernel.waitingDrops.isEmpty)
        try late.arrive()
        scene.settle()
        #expect(scene.kernel.waitingDrops.isEmpty)
        #expect(!scene.kernel.exists("a/f"))
    }

    @Test func attributesOlderThanADropAreNotTakenIn() throws {
        let scene = try CoherenceScene("echo 1 >lower1/f")
        let node = try scene.kernel.walk("f")
        let late = try scene.kernel.holdAttributes(of: node)
        try scene.kernel.dropNode(node, content: false)
        try late.arrive()
        scene.kernel.forgetRecords()
        try scene.kernel.stat("f")
        #expect(scene.kernel.requests == [.attributes(node)])
    }

    @Test func directoriesMoveWhereTheyAreTold() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/d lower1/b; echo 1 >lower1/a/d/f")
        let held = try scene.kernel.hold("a/d")
        try scene.kernel.stat("a/d/f")
        try scene.kernel.walk("b")
        scene.underneath("mv lower1/a/d lower1/b/d")
        scene.settle()
        #expect(try scene.kernel.walk("b/d") == held)
        #expect(!scene.kernel.exists("a/d"))
    }
}

import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Skeletons whose origin has gone: they show as long as they hold something, which nobody watches while they don't.
@Suite struct OrphanEventTests {
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene("mkdir lower1/a; touch lower1/a/l")
        try scene.kernel.create("a/mine")
        try scene.kernel.list("")
        scene.settle()
        return scene
    }

    /// Nothing shows while it is empty; later entries make it show.
    @Test func anOrphanThatDoesNotShowIsNotNothing() throws {
        let scene = try scene()
        scene.underneath("rm -r lower1/a")
        scene.settle()
        #expect(scene.kernel.exists("a/mine"))
        try scene.kernel.unlink("a/mine")
        scene.settle()
        #expect(!scene.kernel.exists("a"))
        #expect(try scene.kernel.list("") == [])
        scene.underneath("touch upper/a/later")
        scene.settle()
        #expect(scene.kernel.exists("a/later"))
        #expect(try scene.kernel.list("") == ["a"])
        try scene.expectTruth("a", "a/later")
    }

    /// A skeleton that somebody moves: it shows nothing at its new place until there is something in it.
    @Test func anEmptySkeletonThatIsMoved() throws {
        let scene = try scene()
        try scene.kernel.unlink("a/mine")
        scene.settle()
        #expect(!scene.kernel.exists("b"))
        scene.underneath("mv upper/a upper/b")
        scene.settle()
        #expect(!scene.kernel.exists("b"))
        #expect(try scene.kernel.list("") == ["a"])
        scene.underneath("touch upper/b/later")
        scene.settle()
        #expect(scene.kernel.exists("b/later"))
        #expect(try scene.kernel.list("").sorted() == ["a", "b"])
        try scene.expectTruth("a", "b", "b/later")
    }

    /// A listing that mustn't be kept: what it leaves out comes without an event.
    @Test func aListingWithAnOrphan() throws {
        let scene = try scene()
        try scene.kernel.unlink("a/mine")
        scene.underneath("rm -r lower1/a")
        scene.settle()
        #expect(try scene.kernel.list("") == [])
        scene.underneath("mkdir upper/a/deep")
        scene.settle()
        #expect(try scene.kernel.list("") == ["a"])
        scene.underneath("rmdir upper/a/deep")
        scene.settle()
        #expect(try scene.kernel.list("") == [])
        try scene.expectTruth("a", "a/deep")
    }

    /// `orphans=hide`: what came back is the same directory, or another one.
    @Test(arguments: [true, false]) func anOriginThatComesBack(isSame: Bool) throws {
        let scene = try CoherenceScene(
            "mkdir -p lower1/a; touch lower1/a/l", policies: { $0.orphans = .hide })
        try scene.kernel.create("a/mine")
        let held = try scene.kernel.hold("a")
        scene.settle()
        scene.underneath("mv lower1/a away")
        scene.settle()
        #expect(!scene.kernel.exists("a"))
        #expect(!scene.kernel.exists("mine", from: held))
        scene.underneath(isSame ? "mv away lower1/a" : "mkdir lower1/a; touch lower1/a/l")
        scene.settle()
        #expect(scene.kernel.exists("a/l"))
        #expect(scene.kernel.exists("a/mine") == isSame)
        #expect(try scene.kernel.list("a").sorted() == (isSame ? ["l", "mine"] : ["l"]))
    }

    /// `switchfs orphans` restores one: what users have elsewhere stays.
    @Test func anOrphanThatIsRestored() throws {
        let scene = try CoherenceScene(
            "mkdir -p lower1/a lower1/other/m", policies: { $0.orphans = .hide })
        let mount = try scene.kernel.mount(on: "other/m")
        try scene.kernel.create("a/mine")
        scene.settle()
        scene.underneath("rmdir lower1/a; mkdir lower1/a")
        scene.settle()
        #expect(!scene.kernel.exists("a/mine"))
        let records = try scene.fixture.union.orphans()
        #expect(records.count == 1)
        for record in records { try scene.fixture.union.restoreOrphan(record.id) }
        scene.settle()
        #expect(scene.kernel.exists("a/mine"))
        #expect(scene.kernel.isMounted(mount))
    }
}

/// `switchfs complete`: what is hidden goes at once, and everything else stays.
@Suite struct CompleteEventTests {
    @Test func completeAndBack() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a upper/a/m lower1/b/m; touch lower1/a/l upper/a/u")
        let kernel = scene.kernel
        let mounts = [try kernel.mount(on: "a/m"), try kernel.mount(on: "b/m"), try kernel.mount(on: "a/u")]
        let held = try kernel.hold("a")
        for path in ["a/l", "a/u"] { try kernel.stat(path) }
        #expect(!kernel.exists("a/none"))
        scene.settleAndForget()
        try scene.fixture.union.setComplete(true, path: Array("a".utf8))
        scene.settle()
        #expect(kernel.droppedNames == [NameKey(held, "l")])
        #expect(mounts.allSatisfy(kernel.isMounted))
        #expect(!kernel.exists("l", from: held))
        #expect(try kernel.names(in: held).sorted() == ["m", "u"])
        scene.settleAndForget()
        try scene.fixture.union.setComplete(false, path: Array("a".utf8))
        scene.settle()
        #expect(kernel.droppedNames == [NameKey(held, "l")])
        #expect(mounts.allSatisfy(kernel.isMounted))
        #expect(kernel.exists("l", from: held))
        try scene.expectTruth("a", "a/l", "a/u", "a/m", "b/m")
    }

    /// Nobody reaches what it hides once the call is through.
    @Test func completeBeforeItsEvents() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/d upper/a/d; touch lower1/a/d/l lower1/a/k")
        let (a, d) = (try scene.kernel.hold("a"), try scene.kernel.hold("a/d"))
        scene.settle()
        try scene.beforeEvents {
            try scene.fixture.union.setComplete(true, path: Array("a".utf8))
            #expect(!scene.kernel.exists("k", from: a))
            #expect(!scene.kernel.exists("l", from: d))
        }
    }
}

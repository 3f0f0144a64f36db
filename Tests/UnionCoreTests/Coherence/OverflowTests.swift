import Glibc
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Events were lost, or something was mounted inside a layer: every directory that the kernel knows is put right, name
/// by name. What is right stays.
@Suite struct OverflowTests {
    private struct Held {
        let scene: CoherenceScene
        let (a, b): (NodeID, NodeID)
        let mounts: [Int]

        init() throws {
            scene = try CoherenceScene(
                "mkdir -p lower1/a/b/c upper/a; echo 1 >lower1/a/f; echo 1 >lower1/a/b/g; touch upper/a/u")
            let kernel = scene.kernel
            mounts = [try kernel.mount(on: "a/f"), try kernel.mount(on: "a/b/c")]
            (a, b) = (try kernel.hold("a"), try kernel.hold("a/b"))
            for path in ["a/u", "a/b/g"] { try kernel.stat(path) }
            for path in ["a/new", "a/none", "a/b/new"] { #expect(!kernel.exists(path)) }
            for path in ["", "a", "a/b"] { try kernel.list(path) }
            scene.settleAndForget()
        }

        func lose() {
            scene.changes.overflow()
            scene.settle()
        }
    }

    @Test func nothingHasChanged() throws {
        let held = try Held()
        held.lose()
        let kernel = held.scene.kernel
        #expect(kernel.droppedNames == [])
        #expect(held.mounts.allSatisfy(kernel.isMounted))
        kernel.forgetRecords()
        #expect(kernel.exists("a/b/c"))
        #expect(!kernel.exists("a/none"))
        #expect(kernel.requests == [])
    }

    @Test func namesThatCameAndWent() throws {
        let held = try Held()
        held.scene.underneath(
            "touch lower1/a/b/new; rm lower1/a/b/g; mkdir upper/a/new; echo 2 >lower1/a/h; mv lower1/a/h lower1/a/u"
        )
        held.lose()
        let kernel = held.scene.kernel
        let wrong = [NameKey(held.b, "new"), NameKey(held.b, "g"), NameKey(held.a, "new")]
        #expect(Set(kernel.droppedNames) == Set(wrong))
        #expect(held.mounts.allSatisfy(kernel.isMounted))
        try held.scene.expectTruth("a", "a/b", "a/new", "a/b/new", "a/b/g", "a/u", "a/none")
        #expect(try kernel.names(in: held.b).sorted() == ["c", "new"])
        #expect(try kernel.list("a").sorted() == ["b", "f", "new", "u"])
    }

    @Test func attributesThatChanged() throws {
        let held = try Held()
        held.scene.underneath("chmod 700 lower1/a/b/c lower1/a/b upper/a; chmod 600 lower1/a/b/g upper/a/u")
        held.lose()
        try held.scene.expectTruth("a", "a/b", "a/b/c", "a/b/g", "a/u")
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
    }

    /// What was replaced takes what is mounted on it along, and only that.
    @Test func whatWasReplaced() throws {
        let held = try Held()
        held.scene.underneath("echo 2 >lower1/a/aside; mv lower1/a/aside lower1/a/f")
        held.lose()
        #expect(held.mounts.map(held.scene.kernel.isMounted) == [false, true])
        try held.scene.expectTruth("a/f", "a")
    }

    /// Directories that came to back others, and that nobody watches yet.
    @Test func directoriesThatAppeared() throws {
        let held = try Held()
        held.scene.underneath("mkdir -p upper/a/b; touch upper/a/b/new")
        held.lose()
        #expect(held.scene.kernel.droppedNames == [NameKey(held.b, "new")])
        #expect(held.scene.kernel.exists("new", from: held.b))
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
        held.scene.underneath("rm upper/a/b/new; chmod 700 upper/a/b")
        held.scene.settle()
        try held.scene.expectTruth("a/b/new", "a/b")
        #expect(!held.scene.kernel.exists("new", from: held.b))
    }

    /// Directories that went; somebody still stands in them.
    @Test func directoriesThatWent() throws {
        let held = try Held()
        held.scene.underneath("rm -r lower1/a")
        held.lose()
        let kernel = held.scene.kernel
        #expect(try kernel.walk("a") == held.a)
        #expect(!kernel.exists("g", from: held.b))
        #expect(try kernel.names(in: held.b) == [])
        try held.scene.expectTruth("a", "a/b", "a/f", "a/u")
        #expect(held.mounts.map(kernel.isMounted) == [false, false])
    }

    /// A mark that nobody was told of.
    @Test func aMarkThatWasSet() throws {
        let held = try Held()
        held.scene.underneath("setfattr -n user.overlay.opaque -v y upper/a")
        held.lose()
        // And what is in the directory that somebody still holds.
        let names = [
            NameKey(held.a, "f"), NameKey(held.a, "b"), NameKey(held.b, "c"), NameKey(held.b, "g"),
        ]
        #expect(Set(held.scene.kernel.droppedNames) == Set(names))
        #expect(!held.scene.kernel.exists("g", from: held.b))
        try held.scene.expectTruth("a", "a/b", "a/f", "a/u")
    }

    /// Replies that are on their way are older than what was lost.
    @Test func repliesOnTheirWay() throws {
        let held = try Held()
        let kernel = held.scene.kernel
        let late = try kernel.holdLookup(of: "a/late")
        let listing = try kernel.holdListing(of: held.b)
        held.scene.underneath("touch lower1/a/late lower1/a/b/more")
        held.lose()
        #expect(throws: Errno.noSuchFileOrDirectory) { try late.arrive() }
        held.scene.settle()
        try listing.arrive()
        held.scene.settle()
        try held.scene.expectTruth("a/late", "a/b/more")
        #expect(try kernel.names(in: held.b).sorted() == ["c", "g", "more"])
    }

    /// Lost events of a name that was told while they were lost.
    @Test func overflowsInARow() throws {
        let held = try Held()
        for number in 0..<3 {
            held.scene.underneath("echo \(number) >lower1/a/b/new; rm -f lower1/a/b/g")
            held.scene.changes.overflow()
            try held.scene.kernel.stat("a/b")
            held.scene.changes.overflow()
            held.scene.settle()
            try held.scene.expectTruth("a/b/new", "a/b/g", "a/b")
        }
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
    }

    /// Most changes of the table of mounts are elsewhere on the machine.
    @Test func mountsElsewhere() throws {
        let held = try Held()
        held.scene.changes.mountsChanged()
        held.scene.settle()
        #expect(held.scene.kernel.sent == [])
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
    }
}

/// Something is really mounted inside a layer.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct MountsInsideTests {
    @Test func aMountInALayer() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/m lower1/b; touch lower1/a/m/below lower1/b/f")
        let kernel = scene.kernel
        let mounts = [try kernel.mount(on: "b/f"), try kernel.mount(on: "a")]
        let directory = try kernel.hold("a/m")
        try kernel.stat("a/m/below")
        #expect(!kernel.exists("b/none"))
        scene.settleAndForget()
        guard shell("mount -t tmpfs none \(scene.path("lower1/a/m"))") == 0 else { return }
        defer { shell("umount \(scene.path("lower1/a/m")) 2>/dev/null || true") }
        scene.changes.mountsChanged()
        scene.settle()
        #expect(mounts.allSatisfy(kernel.isMounted))
        #expect(!kernel.exists("a/m/below"))
        #expect(!kernel.droppedNames.contains(NameKey(try kernel.walk("b"), "f")))
        kernel.release(directory)
        shell("umount \(scene.path("lower1/a/m"))")
        scene.changes.mountsChanged()
        scene.settle()
        #expect(mounts.allSatisfy(kernel.isMounted))
        #expect(kernel.exists("a/m/below"))
    }
}

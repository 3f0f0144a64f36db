import LinuxSystem
import Synchronization
import SystemPackage
import Testing

@testable import UnionCore

/// What the stress test has ever found, each from the shortest script that leads there.
@Suite struct WrongRoundTests {
    /// A directory that had become merged went on being shown as its upper part alone: its own change was judged at the
    /// place where it had been seen last, and there stood another one by then.
    @Test func aDirectoryThatWasElsewhereBecomesMerged() throws {
        let scene = try CoherenceScene(
            """
            mkdir -p upper/a/d upper/b lower1/a/d; touch lower1/a/d/l upper/a/d/u
            setfattr -n user.overlay.opaque -v y upper/a/d
            """)
        let held = try scene.kernel.hold("a/d")
        #expect(!scene.kernel.exists("l", from: held))
        scene.underneath("mv upper/a/d upper/b/d")
        #expect(scene.kernel.exists("b/d"))
        scene.settle()
        scene.settle(after: "mv upper/b/d upper/a/d; mkdir upper/b/d")
        scene.settle(after: "setfattr -x user.overlay.opaque upper/a/d")
        #expect(try scene.kernel.list("a/d").sorted() == ["l", "u"])
        #expect(scene.kernel.exists("l", from: held))
        try scene.expectTruth("a/d", "b/d", "a/d/l")
    }

    /// A client removes a directory by its name; it was another one's a moment before, and the kernel takes that one for
    /// dead. Where it lives on it must be told as another node.
    @Test(arguments: [false, true]) func aDirectoryThatTheKernelTakesForDead(isSeen: Bool) throws {
        let scene = try CoherenceScene("mkdir -p lower1/d lower1/b; touch lower1/d/f")
        let held = try scene.kernel.hold("d")
        try scene.kernel.stat("b")
        scene.settle()
        let (union, change) = (scene.fixture.union, scene.stranger("mv lower1/d lower1/b/d; mkdir lower1/d"))
        scene.kernel.beforeNextChange {
            change()
            // Somebody else's request, whose answer the kernel doesn't keep.
            if isSeen, let found = try? union.lookup(.root, "d", root) {
                let node = found.entry.node
                found.finish()
                union.forget(node, count: 1)
            }
        }
        try scene.kernel.rmdir("d")
        scene.settle()
        #expect(try scene.kernel.list("b/d") == ["f"])
        #expect(scene.kernel.exists("b/d/f"))
        try scene.expectTruth("d", "b/d", "b/d/f")
        scene.kernel.release(held)
    }

    /// The same where a client renames another directory over it.
    @Test func aDirectoryThatTheKernelTakesForReplaced() throws {
        let scene = try CoherenceScene("mkdir -p upper/d upper/e upper/b; touch upper/d/f upper/e/g")
        for path in ["d/f", "e/g", "b"] { try scene.kernel.stat(path) }
        for path in ["d", "e"] { _ = try scene.kernel.hold(path) }
        scene.settle()
        scene.kernel.beforeNextChange(scene.stranger("mv upper/d upper/b/d; mkdir upper/d"))
        try scene.kernel.rename("e", "d")
        scene.settle()
        #expect(try scene.kernel.list("b/d") == ["f"])
        try scene.expectTruth("d", "d/g", "e", "b/d", "b/d/f")
    }

    /// And where it sees a file renamed over another one, which the kernel takes for directories.
    @Test func aFileThatTheKernelTakesForADirectory() throws {
        let scene = try CoherenceScene("mkdir -p upper/d upper/e upper/b; touch upper/d/f upper/e/g")
        for path in ["d/f", "e/g", "b"] { try scene.kernel.stat(path) }
        for path in ["d", "e"] { _ = try scene.kernel.hold(path) }
        scene.settle()
        scene.kernel.beforeNextChange(
            scene.stranger("mv upper/d upper/b/d; mv upper/e upper/b/e; touch upper/d upper/e"))
        try scene.kernel.rename("e", "d")
        scene.settle()
        #expect(try scene.kernel.list("b/d") == ["f"])
        #expect(try scene.kernel.list("b/e") == ["g"])
        try scene.expectTruth("d", "e", "b/d/f", "b/e/g")
    }

    /// A skeleton that is marked as complete, listed with the number of the lower's directory that it shuts out.
    @Test func aSkeletonThatIsMarkedAsComplete() throws {
        let scene = try CoherenceScene("mkdir lower1/a; touch lower1/a/l")
        try scene.kernel.create("a/u")
        scene.settle()
        scene.settle(after: "setfattr -n user.overlay.opaque -v y upper/a")
        #expect(try scene.fixture.listing("")["a"] == scene.kernel.stat("a").inode)
        #expect(try scene.kernel.list("a") == ["u"])
        try scene.expectTruth("a", "a/l", "a/u")
    }

    /// A directory's name known by a node that the server finds nowhere: a look by the path finds the one that is there.
    @Test func aNodeThatIsNowhere() throws {
        let scene = try CoherenceScene("mkdir -p lower1/a/d; touch lower1/a/d/f")
        try scene.kernel.stat("a/d/f")
        scene.settle()
        scene.underneath("mv lower1/a/d away; mkdir lower1/a/d; touch lower1/a/d/new")
        scene.changes.lose()
        _ = scene.kernel.exists("a/d/new")
        scene.settle()
        _ = scene.kernel.exists("a/d/new")
        scene.settle()
        #expect(scene.kernel.exists("a/d/new"))
    }

    /// A mark far above a directory that somebody stands in, set and taken back.
    @Test func aMarkFarAbove() throws {
        let scene = try CoherenceScene(
            "mkdir -p lower1/a/b/c upper/a/b/c; touch lower1/a/b/c/l upper/a/b/c/u")
        let held = try scene.kernel.hold("a/b/c")
        #expect(scene.kernel.exists("l", from: held))
        scene.settle()
        for _ in 0..<2 {
            scene.settle(after: "setfattr -n user.overlay.opaque -v y upper/a")
            #expect(!scene.kernel.exists("l", from: held))
            #expect(try scene.kernel.names(in: held) == ["u"])
            try scene.expectTruth("a", "a/b", "a/b/c", "a/b/c/l", "a/b/c/u")
            scene.settle(after: "setfattr -x user.overlay.opaque upper/a")
            #expect(scene.kernel.exists("l", from: held))
            #expect(try scene.kernel.names(in: held).sorted() == ["l", "u"])
            try scene.expectTruth("a", "a/b", "a/b/c", "a/b/c/l", "a/b/c/u")
        }
    }

    /// The same while the directory was elsewhere: it must be looked for when it comes back.
    @Test func aMarkFarAboveWhileItWasElsewhere() throws {
        let scene = try CoherenceScene(
            "mkdir -p lower1/a/b/c upper/a/b/c; touch lower1/a/b/c/l upper/a/b/c/u")
        let held = try scene.kernel.hold("a/b/c")
        #expect(scene.kernel.exists("l", from: held))
        scene.settle()
        scene.settle(after: "mv upper/a/b/c upper/away")
        scene.settle(after: "setfattr -n user.overlay.opaque -v y upper/a")
        scene.settle(after: "mv upper/away upper/a/b/c")
        try scene.expectTruth("a/b/c", "a/b/c/l", "a/b/c/u")
        #expect(try scene.kernel.list("a/b/c") == ["u"])
        #expect(!scene.kernel.exists("l", from: held))
    }

    /// A name that a directory once had is another one's by now, with what is mounted below: its own changes leave that
    /// alone.
    @Test func dropsLeaveOthersNamesAlone() throws {
        let scene = try CoherenceScene("mkdir -p upper/a/d/x upper/b lower1/b/d; touch lower1/b/d/l")
        let kernel = scene.kernel
        let moved = try kernel.hold("a/d")
        try kernel.stat("b")
        scene.settle()
        scene.settle(after: "mv upper/a/d upper/b/d; mkdir -p upper/a/d/m")
        let there = try kernel.hold("b/d")
        let mount = try kernel.mount(on: "a/d/m")
        #expect(kernel.exists("l", from: there))
        scene.settleAndForget()
        scene.settle(after: "setfattr -n user.overlay.opaque -v y upper/b/d")
        #expect(kernel.isMounted(mount))
        #expect(!kernel.exists("l", from: there))
        #expect(!kernel.exists("l", from: moved))
        try scene.expectTruth("a/d", "a/d/m", "b/d", "b/d/l", "b/d/x")
    }

    /// A rename looks at what its directory is made of when it is through. What a stranger had put there just then counted
    /// as part of it from that moment, and nobody ever watched it.
    @Test func aPartThatNobodyWatchesYet() throws {
        let scene = try CoherenceScene("mkdir upper/d; touch upper/d/u")
        let held = try scene.kernel.hold("d")
        #expect(!scene.kernel.exists("l", from: held))
        scene.settle()
        scene.underneath("mkdir lower1/away; touch lower1/away/l; mv lower1/away lower1/d")
        try scene.fixture.union.reporting.lookAtMakeup(
            of: scene.fixture.union.resolver.node(held))
        scene.settle()
        #expect(scene.kernel.exists("l", from: held))
        #expect(!scene.kernel.exists("m", from: held))
        scene.settle(after: "touch lower1/d/m")
        #expect(try scene.kernel.names(in: held).sorted() == ["l", "m", "u"])
        try scene.expectTruth("d", "d/l", "d/m", "d/u")
    }

    /// A look in a directory whose watch was set just after it: no event tells of what changed in between. Where the
    /// look found a file, a directory came to stand; where it found nothing, a file.
    @Test func aLookThatIsOlderThanTheWatchOfItsDirectory() throws {
        let scene = try CoherenceScene("mkdir lower1/d; touch lower1/d/n")
        let held = try scene.kernel.hold("d")
        let union = scene.fixture.union
        let (reporting, directory) = (union.reporting, try union.resolver.node(held))
        reporting.noteUnwatched(directory)
        scene.changes.unwatch(directory.id)
        scene.settle()
        let view = try union.resolver.view(of: directory)
        let file = try union.resolver.lookup(view, "n", in: directory)
        let nothing = try union.resolver.lookup(view, "none", in: directory)
        #expect(file.owner?.isDirectory == false && !nothing.isVisible)
        scene.underneath("rm lower1/d/n; mkdir lower1/d/n; touch lower1/d/none")
        try scene.kernel.stat("d")
        #expect(directory.state.withLock { $0.isCached })
        let found = try reporting.find(file, "n", in: directory, view, watches: .deferred)
        #expect(!found.isFile || found.entry.freshness.entrySeconds == 0)
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try reporting.absentEntry(nothing, "none", in: directory, view)
        }
        reporting.forget(found.entry.node, count: 1)
    }

    /// Names in a directory were put right, and its parent's were to be next. Meanwhile the parent moved into its own former
    /// place's successor, just where the directory was: which came to be made of others once more, in the same batch.
    @Test func aDirectoryThatItsParentReplaces() throws {
        let scene = try CoherenceScene(
            lowers: 2, "mkdir -p upper/a/b/c lower1/a away; touch upper/a/b/e upper/a/f")
        let kernel = scene.kernel
        let held = try kernel.hold("a/b")
        #expect(kernel.exists("a/b/c"))
        for name in ["b", "f"] { #expect(!kernel.exists("a/b/\(name)")) }
        scene.settle()
        // Something is looked at in a directory that has a part of which no event has told yet.
        scene.underneath("mv away lower2/a")
        scene.changes.lose()
        scene.settle(after: "chmod 700 upper/a/b")
        let late = try kernel.holdLookup(of: "a/b/none")
        scene.settle(after: "mkdir lower1/a/b")
        #expect(!kernel.waitingDrops.isEmpty)
        scene.underneath("mv upper/a upper/t; mkdir upper/a; mv upper/t upper/a/b")
        _ = try? late.arrive()
        scene.settle()
        #expect(!kernel.exists("c", from: held))
        for name in ["b", "f"] { #expect(kernel.exists(name, from: held)) }
        try scene.expectTruth("a/b/c", "a/b/f", "a/b/b", "a/b/b/c", "a/b", "a")
    }

    /// While names are replaced faster than they are walked, a caller that has just come to a directory reaches it though it has
    /// gone. What it sees there was told to be kept, after all that was kept of the directory had been dropped.
    @Test func aDirectoryThatIsHeldForAWalk() throws {
        let scene = try CoherenceScene("mkdir lower1/d; touch lower1/d/f")
        let coherence = scene.fixture.union.coherence
        scene.fixture.union.resolver.held.begin()
        let held = try scene.kernel.hold("d")
        scene.underneath("mv lower1/d away")
        scene.changes.drain()
        coherence.invalidations.waitForAll()
        let isSeen = scene.kernel.exists("f", from: held)
        let isMissing = !scene.kernel.exists("g", from: held)
        #expect(isSeen && isMissing)
        scene.settle()
        #expect(!scene.kernel.exists("f", from: held))
        scene.settle(after: "touch away/g; mv away lower1/d")
        #expect(scene.kernel.exists("g", from: held))
        try scene.expectTruth("d", "d/f", "d/g")
    }

    /// The same, and the caller stands in it. Upon ESTALE the kernel asks for the name once more, and then for the change.
    @Test func aChangeInADirectoryThatIsHeldForAWalk() throws {
        let scene = try CoherenceScene("mkdir lower1/d")
        let fixture = scene.fixture
        fixture.union.resolver.held.begin()
        let held = try scene.kernel.hold("d")
        #expect(!scene.kernel.exists("x", from: held))
        scene.underneath("mv lower1/d away; rmdir away")
        let create = { () throws(Errno) in _ = try fixture.union.makeDirectory(held, "x", mode: 0o755, root) }
        #expect(throws: Errno.staleNFSFileHandle) { try create() }
        _ = try? fixture.union.lookup(held, "x", root).finish()
        #expect(throws: Errno.noSuchFileOrDirectory) { try create() }
    }
}

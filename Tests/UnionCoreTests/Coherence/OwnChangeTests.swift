import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Changes that clients make through the union bring events too, of which the kernel needn't be told: it made them.
@Suite struct OwnChangeTests {
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene(
            lowers: 2,
            """
            mkdir -p upper/a/d upper/b lower1/low; touch upper/a/f upper/a/g lower1/low/f; touch -d @1000 upper/a
            """)
        for path in ["a/f", "a/g", "a/d", "b", "low/f"] { try scene.kernel.stat(path) }
        for path in ["a/new", "b/new"] { #expect(!scene.kernel.exists(path)) }
        try scene.kernel.list("a")
        scene.settleAndForget()
        return scene
    }

    /// No name is dropped and no listing. Attributes may be: a reply that is older than the change may be on its way.
    private func expectSilence(
        _ scene: CoherenceScene, of directories: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        scene.settle()
        let nodes = try directories.map { path throws(Errno) in try scene.kernel.walk(path) }
        #expect(scene.kernel.droppedNames == [], sourceLocation: sourceLocation)
        let listings = nodes.map { Sent.node($0, content: true) }
        #expect(!scene.kernel.sent.contains(where: listings.contains), sourceLocation: sourceLocation)
    }

    @Test func makingAndRemovingFiles() throws {
        let scene = try scene()
        try scene.kernel.create("a/new")
        try expectSilence(scene, of: "a")
        try scene.kernel.unlink("a/new")
        try scene.kernel.unlink("a/f")
        try expectSilence(scene, of: "a")
        try scene.expectTruth("a", "a/new", "a/f", "a/g")
        #expect(try scene.kernel.list("a").sorted() == ["d", "g"])
    }

    @Test func makingAndRemovingDirectories() throws {
        let scene = try scene()
        try scene.kernel.mkdir("a/new")
        try scene.kernel.create("a/new/f")
        try scene.kernel.unlink("a/new/f")
        try scene.kernel.rmdir("a/d")
        try expectSilence(scene, of: "a", "a/new")
        try scene.expectTruth("a", "a/new", "a/d", "a/new/f")
    }

    @Test func renamingAndLinking() throws {
        let scene = try scene()
        try scene.kernel.rename("a/f", "b/new")
        try scene.kernel.link("a/g", "a/new")
        try scene.kernel.rename("a/d", "b/d")
        try expectSilence(scene, of: "a", "b")
        try scene.expectTruth("a", "b", "a/f", "b/new", "a/g", "a/new", "b/d", "a/d")
    }

    @Test func inADirectoryThatOnlyALowerHas() throws {
        let scene = try scene()
        try scene.kernel.create("low/new")
        scene.settle()
        #expect(scene.kernel.droppedNames == [])
        try scene.expectTruth("low", "low/new", "low/f", "")
    }

    @Test func changingAttributes() throws {
        let scene = try scene()
        try scene.kernel.chmod("a/f", 0o600)
        try scene.kernel.chmod("a/d", 0o700)
        scene.settle()
        #expect(scene.kernel.droppedNames == [])
        try scene.expectTruth("a/f", "a/d", "a")
    }

    /// Names that were told are kept, and cost nothing afterwards.
    @Test func whatFollowsIsWarm() throws {
        let scene = try scene()
        try scene.kernel.create("a/new")
        try scene.kernel.rename("a/f", "a/h")
        scene.settleAndForget()
        for path in ["a/new", "a/h", "a/g"] { #expect(scene.kernel.exists(path)) }
        #expect(scene.kernel.requests == [])
    }

    /// A stranger's change beside ours isn't taken for ours.
    @Test func aStrangerBeside() throws {
        let scene = try scene()
        try scene.kernel.create("a/new")
        scene.settle(after: "rm upper/a/new; mkdir upper/a/new; rm upper/a/g")
        try scene.expectTruth("a/new", "a/g", "a")
        try scene.kernel.unlink("a/f")
        scene.settle(after: "touch upper/a/f")
        try scene.expectTruth("a/f", "a")
        #expect(try Set(scene.kernel.list("a")) == ["d", "f", "new"])
    }

    /// Nor one that comes between our change and its event.
    @Test func aStrangerWhoMakesTheSameAgain() throws {
        let scene = try scene()
        try scene.kernel.unlink("a/f")
        scene.settle(after: "touch upper/a/f; rm upper/a/f; touch upper/a/f")
        try scene.expectTruth("a/f")
        try scene.kernel.create("a/new")
        scene.settle(after: "rm upper/a/new; touch upper/a/new")
        try scene.expectTruth("a/new")
    }

    /// The directory's attributes, asked for by another caller before our change and taken in after it. The kernel
    /// forgets those that it has by itself, but not that it asked for some: `attr_version` stays.
    @Test(arguments: [false, true]) func attributesOnTheirWay(isLate: Bool) throws {
        let scene = try scene()
        let late = try scene.kernel.holdAttributes(of: scene.kernel.walk("a"))
        try scene.kernel.create("a/new")
        if isLate { scene.settle() }
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a")
    }

    /// A listing on its way is another client's, whose lock our change waits for.
    @Test func aListingBefore() throws {
        let scene = try scene()
        try scene.kernel.holdListing(of: scene.kernel.walk("b")).arrive()
        try scene.kernel.create("b/new")
        scene.settle()
        #expect(try scene.kernel.list("b") == ["new"])
        try scene.expectTruth("b", "b/new")
    }

    /// Somebody was told something else after our change; that it is as we left it in the end says nothing.
    @Test func aStrangerInBetweenWhomSomebodySaw() throws {
        let scene = try scene()
        try scene.beforeEvents {
            try scene.kernel.unlink("a/f")
            scene.underneath("echo his >upper/a/f")
            try scene.kernel.stat("a/f")
            scene.underneath("rm upper/a/f")
            try scene.kernel.mkdir("a/new")
            scene.underneath("rmdir upper/a/new")
            #expect(!scene.kernel.exists("a/none"))
            scene.underneath("mkdir upper/a/new")
        }
        scene.settle()
        try scene.expectTruth("a/f", "a/new", "a")
    }

    /// The kernel moved what it knew by the old name; a stranger had just put something else there.
    @Test(arguments: ["touch upper/x; mv upper/x upper/a/f", "rm upper/a/f; mkdir upper/a/f"])
    func aRenameOfWhatAStrangerPutThere(change: String) throws {
        let scene = try scene()
        scene.kernel.beforeNextChange(scene.stranger(change))
        try scene.kernel.rename("a/f", "b/new")
        scene.settle()
        try scene.expectTruth("a/f", "b/new", "a", "b")
    }

    /// Two names of one file by then: rename(2) does nothing, and brings no event.
    @Test func aRenameThatDoesNothing() throws {
        let scene = try scene()
        scene.kernel.beforeNextChange(scene.stranger("ln -f upper/a/f upper/a/g"))
        try scene.kernel.rename("a/f", "a/g")
        scene.settle()
        try scene.expectTruth("a/f", "a/g", "a")
    }

    @Test(arguments: ["rm upper/a/f; mkdir upper/a/f", "mv upper/a/g upper/a/f"])
    func aRemovalOfWhatAStrangerPutThere(change: String) throws {
        let scene = try scene()
        scene.kernel.beforeNextChange(scene.stranger(change))
        try? scene.kernel.unlink("a/f")
        scene.settle()
        try scene.expectTruth("a/f", "a/g", "a")
    }

    /// A stranger was quicker, and what he has put there can't be opened. The kernel goes on taking the name for missing.
    @Test func aStrangersFileThatCantBeOpened() throws {
        let scene = try CoherenceScene("mkdir lower1/a; touch lower1/a/f", readOnly: [1])
        try scene.kernel.stat("a/f")
        #expect(!scene.kernel.exists("a/new"))
        scene.settle()
        scene.beforeEvents {
            scene.underneath("ln lower1/a/f lower1/a/new")
            #expect(throws: Errno.readOnlyFileSystem) { try scene.kernel.openOrCreate("a/new") }
        }
        scene.settle()
        try scene.expectTruth("a/new", "a/f", "a")
    }

    /// A stranger was quicker: EEXIST, and his is what shows.
    @Test func aStrangerMakesItFirst() throws {
        let scene = try scene()
        scene.kernel.beforeNextChange(scene.stranger("echo his >upper/a/new"))
        #expect(throws: Errno.fileExists) { try scene.kernel.create("a/new") }
        scene.settle()
        try scene.expectTruth("a/new", "a")
    }
}

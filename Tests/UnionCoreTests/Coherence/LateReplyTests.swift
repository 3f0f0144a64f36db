import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Replies that are older than a change and taken in after its notification. The letters are those of the table "Late
/// replies".
@Suite struct LateReplyTests {
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene(
            "mkdir -p lower1/a lower1/b; for n in x y; do echo $n >lower1/a/$n; done; touch -d @1000 lower1/a lower1/b"
        )
        try scene.kernel.stat("a")
        try scene.kernel.stat("b")
        scene.settleAndForget()
        return scene
    }

    /// (a) A lookup that finds it.
    @Test(arguments: ["rm lower1/a/x", "mv lower1/a/y lower1/a/x", "rm lower1/a/x; mkdir lower1/a/x"])
    func aLookup(change: String) throws {
        let scene = try scene()
        let late = try scene.kernel.holdLookup(of: "a/x")
        scene.underneath(change)
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x", "a")
    }

    /// (a') One that asks again for what is kept: nothing waits for it.
    @Test(arguments: ["rm lower1/a/x", "mv lower1/a/y lower1/a/x"])
    func aRevalidation(change: String) throws {
        let scene = try scene()
        try scene.kernel.stat("a/x")
        let late = try scene.kernel.holdRevalidation(of: "a/x")
        scene.underneath(change)
        scene.settle()
        _ = try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x", "a")
    }

    /// (b) A lookup that finds nothing.
    @Test func aLookupOfWhatIsMissing() throws {
        let scene = try scene()
        let late = try scene.kernel.holdLookup(of: "a/new")
        scene.underneath("echo new >lower1/a/new")
        scene.settle()
        #expect(throws: Errno.noSuchFileOrDirectory) { try late.arrive() }
        scene.settle()
        try scene.expectTruth("a/new", "a")
    }

    /// (c) Attributes of what the kernel knows.
    @Test(arguments: ["chmod 600 lower1/a/x", "echo more >>lower1/a/x"])
    func attributes(change: String) throws {
        let scene = try scene()
        let late = try scene.kernel.holdAttributes(of: scene.kernel.walk("a/x"))
        scene.underneath(change)
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x")
    }

    /// (c') A lookup that makes the inode: the kernel has nothing yet that could be dropped.
    @Test func aLookupThatMakesTheInode() throws {
        let scene = try scene()
        let late = try scene.kernel.holdLookup(of: "a/x")
        scene.underneath("chmod 600 lower1/a/x")
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x")
    }

    /// The same of a directory.
    @Test func aLookupThatMakesADirectory() throws {
        let scene = try scene()
        scene.underneath("mkdir lower1/a/d")
        scene.settle()
        let late = try scene.kernel.holdLookup(of: "a/d")
        scene.underneath("chmod 700 lower1/a/d; touch lower1/a/d/f")
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/d", "a/d/f")
    }

    /// And of a file that another directory tells of.
    @Test func aLookupOfAnotherNameThatMakesTheInode() throws {
        let scene = try scene()
        scene.underneath("ln lower1/a/x lower1/b/hard")
        scene.settle()
        let late = try scene.kernel.holdLookup(of: "b/hard")
        scene.underneath("chmod 600 lower1/a/x")
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("b/hard", "a/x")
    }

    /// (d) A listing. The names in it may be known to nobody, and the directory's time put back.
    @Test(arguments: ["touch lower1/a/new", "rm lower1/a/x", "mv lower1/a/x lower1/b/x"])
    func aListing(change: String) throws {
        let scene = try scene()
        let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
        scene.underneath("\(change); touch -d @1000 lower1/a")
        scene.settle()
        try late.arrive()
        scene.settle()
        #expect(try Set(scene.kernel.list("a")) == Set(scene.fixture.names("a")))
    }

    /// A listing that is older than what a name was told as: the name is right, and the listing isn't.
    @Test(arguments: [false, true]) func aListingWithAKnownName(isWarm: Bool) throws {
        let scene = try scene()
        if isWarm { #expect(!scene.kernel.exists("a/new")) }
        let directory = try scene.kernel.walk("a")
        let late = try scene.kernel.holdListing(of: directory)
        scene.underneath("echo new >lower1/a/new; touch -d @1000 lower1/a")
        if !isWarm { try scene.kernel.stat("a/new") }
        scene.settle()
        try late.arrive()
        scene.settle()
        #expect(try scene.kernel.list("a").sorted() == ["new", "x", "y"])
    }

    /// (f) The reply to LINK counts whatever was learnt meanwhile.
    @Test func aLink() throws {
        let scene = try scene()
        let late = try scene.kernel.holdLink("a/x", "b/hard")
        scene.underneath("chmod 600 lower1/a/x")
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x", "b/hard", "b")
    }

    /// A directory that two lookups find at two places: the kernel has it where it was told last, and both are asked for.
    @Test func aDirectoryThatWasElsewhere() throws {
        let scene = try scene()
        scene.underneath("mkdir lower1/a/d; echo 1 >lower1/a/d/f")
        scene.settle()
        let late = try scene.kernel.holdLookup(of: "a/d")
        scene.underneath("mv lower1/a/d lower1/b/d")
        try scene.kernel.walk("b/d")
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/d", "b/d", "b/d/f", "a", "b")
    }
}

import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Listings that tell of their files (READDIRPLUS), taken in after a change: (e) of the table "Late replies", and what two
/// replies make of one name.
@Suite struct ListedFilesReplyTests {
    /// A client who looks at each file that he lists.
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene(
            "mkdir -p lower1/habit lower1/a; for n in x y; do echo $n >lower1/a/$n; echo $n >lower1/habit/$n; done"
        )
        try scene.kernel.list("habit")
        for path in ["habit/x", "habit/y", "a"] { try scene.kernel.stat(path) }
        scene.settleAndForget()
        return scene
    }

    @Test func filesAreTold() throws {
        let scene = try scene()
        let directory = try scene.kernel.walk("a")
        try scene.kernel.list("a")
        try scene.kernel.stat("a/x")
        #expect(scene.kernel.requests == [.listing(directory)])
    }

    @Test(arguments: [
        "chmod 600 lower1/a/x", "rm lower1/a/x", "mv lower1/a/y lower1/a/x",
        "rm lower1/a/x; mkdir lower1/a/x",
    ])
    func aListing(change: String) throws {
        let scene = try scene()
        let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
        scene.underneath(change)
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x", "a/y", "a")
        #expect(try Set(scene.kernel.list("a")) == Set(scene.fixture.names("a")))
    }

    /// A lookup in the same directory is younger, and taken in first.
    @Test(arguments: ["mv lower1/a/y lower1/a/x", "rm lower1/a/x"])
    func aListingAfterALookup(change: String) throws {
        let scene = try scene()
        let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
        scene.underneath(change)
        _ = scene.kernel.exists("a/x")
        scene.settle()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x", "a/y", "a")
    }

    /// The same after the events are dealt with: they know nothing of the listing that is still on its way.
    @Test func aListingAfterALookupAndItsEvents() throws {
        let scene = try scene()
        try scene.kernel.stat("a/x")
        let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
        scene.underneath("mv lower1/a/y lower1/a/x")
        scene.settle()
        _ = try scene.kernel.holdRevalidation(of: "a/x").arrive()
        try late.arrive()
        scene.settle()
        try scene.expectTruth("a/x", "a/y", "a")
    }

    /// What is mounted on a file stays as long as the same file is told.
    @Test func aMountOnAListedFile() throws {
        let scene = try scene()
        let mount = try scene.kernel.mount(on: "a/x")
        try scene.kernel.list("a")
        scene.underneath("touch lower1/a/z; chmod 600 lower1/a/x")
        scene.settle()
        try scene.kernel.list("a")
        #expect(scene.kernel.isMounted(mount))
    }
}

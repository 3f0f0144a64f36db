import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Listings that tell of their files (READDIRPLUS), taken in after a change: (e) of the table "Late replies", and what two
/// replies make of one name.
@Suite struct ListedFilesReplyTests {
    /// A client who looks at each file that he lists.
    private func scene(
        _ layers: String = "mkdir lower1/a; echo x >lower1/a/x; echo y >lower1/a/y"
    ) throws -> CoherenceScene {
        let scene = try CoherenceScene("\(layers); mkdir lower1/habit; touch lower1/habit/x lower1/habit/y")
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

    /// The kernel remembers the name as missing. A listing finds a file there that the kernel knows by another name, and
    /// has no room for it. So the kernel isn't told, and the event finds in the table what is there.
    @Test(arguments: ["mv lower1/there/f lower1/a/n", "ln lower1/there/f lower1/a/n"])
    func noRoomForAFile(change: String) throws {
        let scene = try scene("mkdir -p lower1/a lower1/there; touch lower1/there/f")
        _ = try scene.kernel.hold("there/f")
        let directory = try scene.kernel.walk("a")
        #expect(!scene.kernel.exists("a/n"))
        scene.settle()
        try scene.beforeEvents {
            scene.underneath(change)
            let union = scene.fixture.union
            union.finish(
                try union.readDirectory(of: directory, offset: 0, room: 4096, root, withFiles: true) {
                    item, _ in
                    item.name.isDots
                })
        }
        scene.settle()
        try scene.expectTruth("a/n", "there/f")
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

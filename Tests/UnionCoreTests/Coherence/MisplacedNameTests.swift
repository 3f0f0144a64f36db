import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A client's rename moves what the kernel knows by the old name. Where nobody is sure what that is, nobody is sure what the
/// new name is known as.
@Suite struct MisplacedNameTests {
    private func scene() throws -> CoherenceScene {
        let scene = try CoherenceScene(
            """
            mkdir upper/habit upper/a upper/b upper/a/d upper/b/e; touch upper/a/f upper/b/g
            touch upper/habit/x upper/habit/y
            """)
        // A client who looks at each file that he lists.
        try scene.kernel.list("habit")
        for path in ["habit/x", "habit/y", "a/f", "a/d", "b/g", "b/e"] { try scene.kernel.stat(path) }
        scene.settleAndForget()
        return scene
    }

    /// A stranger changes the old name. The drop waits for the directory's lock: the client who renames it was quicker.
    private func dropTooLate(_ scene: CoherenceScene, _ change: String) {
        let (union, kernel, change) = (scene.fixture.union, scene.kernel, scene.stranger(change))
        kernel.beforeNextChange {
            change()
            let waiter = try? WorkerThread.spawn(name: "sync") { union.synchronizeChanges() }
            kernel.state.wait { $0.isHeldUp }
            waiter?.detach()
        }
    }

    /// Nothing else is known of either directory: no name in it was told as missing.
    @Test func aDropThatAnExchangeOvertakes() throws {
        let scene = try scene()
        dropTooLate(scene, "mv upper/a/f upper/b/f; mkdir upper/a/f; touch upper/a/f/x")
        try scene.kernel.rename("a/f", "b/g", flags: .exchange)
        scene.settle()
        try scene.expectTruth("b/f", "b/g", "b/g/x", "a/f", "a", "b")
    }

    @Test func aDirectorysDropThatAnExchangeOvertakes() throws {
        let scene = try scene()
        dropTooLate(scene, "mv upper/a/d upper/b/d; touch upper/a/d")
        try scene.kernel.rename("a/d", "b/e", flags: .exchange)
        scene.settle()
        try scene.expectTruth("b/e", "a/d", "b/d", "a", "b")
    }

    /// The new name was known as what it is now.
    @Test func aDropThatARenameOvertakes() throws {
        let scene = try scene()
        dropTooLate(scene, "mv upper/a/f upper/b/f; ln upper/b/g upper/a/f")
        try scene.kernel.rename("a/f", "b/g")
        scene.settle()
        try scene.expectTruth("b/f", "b/g", "a/f", "a", "b")
    }

    /// A second rename takes it further before anybody has seen to the first.
    @Test func aDropThatTwoRenamesOvertake() throws {
        let scene = try scene()
        dropTooLate(scene, "mv upper/a/f upper/b/f; mkdir upper/a/f; touch upper/a/f/x")
        try scene.kernel.rename("a/f", "b/g", flags: .exchange)
        try scene.kernel.rename("b/g", "b/e", flags: .exchange)
        scene.settle()
        try scene.expectTruth("b/f", "b/g", "b/e", "b/e/x", "a/f", "a", "b")
    }

    /// Somebody else is told what a stranger has put there. He drops what the kernel knew by the old name, and the rename
    /// brings it back by the new one.
    @Test(arguments: ["mkdir", "touch"]) func anAnswerWhileItIsRenamed(make: String) throws {
        let scene = try scene()
        let (union, name) = (scene.fixture.union, make == "mkdir" ? "d" : "f")
        let parent = try scene.kernel.walk("a")
        let change = scene.stranger("mv upper/a/\(name) upper/b/old; \(make) upper/a/\(name)")
        scene.kernel.beforeNextChange {
            change()
            let name = OwnedName(name)
            if let found = try? union.lookup(parent, name.ref, root) { found.finish() }
        }
        try scene.kernel.rename("a/" + name, "b/new")
        scene.settle()
        try scene.expectTruth("b/new", "b/old", "a/" + name, "a", "b")
    }

    /// What a listing tells of as one thing and a lookup as another, the kernel may know as either. So it may after a rename.
    @Test(arguments: [RenameFlags([]), .exchange]) func aContestedName(flags: RenameFlags) throws {
        let scene = try scene()
        scene.underneath(flags == [] ? "touch upper/a/new" : "touch upper/a/new upper/b/new")
        if flags == .exchange { try scene.kernel.stat("b/new") }
        scene.settle()
        try scene.beforeEvents {
            let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
            scene.underneath("mv upper/a/new upper/b/f; mkdir upper/a/new; touch upper/a/new/x")
            // Somebody else holds on to it: it isn't forgotten.
            _ = try scene.kernel.hold("a/new")
            try late.arrive()
            try scene.kernel.rename("a/new", "b/new", flags: flags)
        }
        scene.settle()
        try scene.expectTruth("b/f", "b/new", "b/new/x", "a/new", "a", "b")
    }

    /// The kernel forgets what the lookup told it at once when it takes in the listing.
    @Test(arguments: [false, true]) func aContestedNameWhoseNodeIsForgotten(isRenamed: Bool) throws {
        let scene = try scene()
        scene.underneath("touch upper/a/new upper/b/new")
        try scene.kernel.stat("b/new")
        scene.settle()
        try scene.beforeEvents {
            let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
            scene.underneath("mv upper/a/new upper/b/f; mkdir upper/a/new; touch upper/a/new/x")
            try scene.kernel.stat("a/new")
            try late.arrive()
            if isRenamed { try scene.kernel.rename("a/new", "b/new", flags: .exchange) }
        }
        scene.settle()
        try scene.expectTruth("b/f", "a/new", "a/new/x", "b/new", "b/new/x", "a", "b")
    }

    /// The lookup's answer is overtaken by another one, which says that the name is missing.
    @Test func aContestedNameThatGoes() throws {
        let scene = try scene()
        scene.underneath("touch upper/a/new")
        scene.settle()
        try scene.beforeEvents {
            let late = try scene.kernel.holdListing(of: scene.kernel.walk("a"))
            scene.underneath("mv upper/a/new upper/b/f; mkdir upper/a/new")
            _ = try scene.kernel.hold("a/new")
            scene.underneath("rmdir upper/a/new")
            _ = try? scene.kernel.holdRevalidation(of: "a/new").arrive()
            try late.arrive()
        }
        scene.settle()
        try scene.expectTruth("b/f", "a/new", "a", "b")
    }
}

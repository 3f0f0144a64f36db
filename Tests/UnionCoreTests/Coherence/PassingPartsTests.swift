import LinuxSystem
import Synchronization
import SystemPackage
import Testing

@testable import UnionCore

/// Parts of a directory that strangers take away, or bring and take away, so that no event of it finds the directory made of
/// others than it was: what was told from them, at any depth below, goes all the same.
@Suite struct PassingPartsTests {
    /// A client renames a directory of which a stranger has just hidden or taken the lower's part. The rename takes in what is
    /// left. The stranger's events name a place where the directory isn't any more.
    @Test(arguments: ["mv lower1/d away", "setfattr -n user.overlay.opaque -v y upper/d"])
    func aRenameAfterAPartHasGone(change: String) throws {
        _ = try rename(after: change)
    }

    /// The same over a name at which it must be marked as complete.
    @Test(arguments: ["mv lower1/d away", "setfattr -n user.overlay.opaque -v y upper/d"])
    func aRenameOverSomethingHidden(change: String) throws {
        _ = try rename(after: change, "mkdir lower1/n; touch lower1/n/e lower1/n/ghost; mknod upper/n c 0 0")
    }

    /// The same where two directories change places.
    @Test(arguments: [
        ("mv lower1/d away", ":"),
        (
            "setfattr -n user.overlay.opaque -v y upper/d",
            "setfattr -n user.overlay.opaque -v y upper/n"
        ),
    ])
    func anExchangeAfterAPartHasGone(change: String, otherMark: String) throws {
        let other = "mkdir upper/n; touch upper/n/f; \(otherMark)"
        try rename(after: change, other, flags: .exchange).expectTruth("d", "d/f", "d/g")
    }

    /// A client renames `d` to `n` before anybody has dealt with the change.
    private func rename(
        after change: String, _ more: String = ":", flags: RenameFlags = []
    ) throws -> CoherenceScene {
        let scene = try CoherenceScene(
            """
            mkdir -p lower1/d/e upper/d/e; touch lower1/d/g lower1/d/e/l upper/d/e/u
            \(more)
            """)
        for path in ["d/g", "d/e", "d/e/l", "d/e/u", "n"] { _ = try? scene.kernel.stat(path) }
        scene.settle()
        try scene.beforeEvents {
            scene.underneath(change)
            try scene.kernel.rename("d", "n", flags: flags)
        }
        scene.settle()
        try scene.expectTruth("n/e", "n", "n/g", "n/e/l", "n/e/u")
        return scene
    }

    /// A lower's directory comes and goes. In between somebody asks for the attributes of one in it, which has a part of its
    /// own there.
    @Test(arguments: ["d", "d/e", "d/e/f"]) func attributesInBetween(path: String) throws {
        let scene = try CoherenceScene("mkdir -p upper/d/e/f away/e/f")
        let held = try scene.kernel.hold(path)
        scene.settle()
        scene.settle(after: "chmod 700 upper/\(path)")
        try scene.beforeEvents {
            scene.underneath("mv away lower1/d")
            let links = try scene.kernel.attributes(of: held).linkCount
            #expect(links == 1)
            scene.underneath("mv lower1/d away")
        }
        scene.settle()
        try scene.expectTruth(path, "d")
    }

    /// In between one in it is looked up for the first time.
    @Test func aLookupInBetween() throws {
        let scene = try CoherenceScene("mkdir -p upper/d/e away/e; touch away/e/l")
        try scene.kernel.stat("d")
        scene.settle()
        var held = NodeID.root
        try scene.beforeEvents {
            scene.underneath("mv away lower1/d")
            held = try scene.kernel.hold("d/e")
            #expect(scene.kernel.exists("l", from: held))
            scene.underneath("mv lower1/d away")
        }
        scene.settle()
        #expect(!scene.kernel.exists("l", from: held))
        #expect(try scene.kernel.attributes(of: held).linkCount == 2)
        try scene.expectTruth("d/e", "d/e/l", "d")
    }

    /// In between another event has one in it looked at, and watched with what it has there.
    @Test func aChangeInBetween() throws {
        let scene = try CoherenceScene("mkdir -p upper/d/e away/e; touch away/e/l")
        let held = try scene.kernel.hold("d/e")
        scene.settle()
        scene.underneath("mv away lower1/d")
        // The event of this is still on its way.
        scene.changes.lose()
        scene.settle(after: "chmod 700 upper/d/e")
        #expect(scene.kernel.exists("l", from: held))
        #expect(try scene.kernel.attributes(of: held).linkCount == 1)
        scene.settle(after: "mv lower1/d away")
        #expect(!scene.kernel.exists("l", from: held))
        #expect(try scene.kernel.attributes(of: held).linkCount == 2)
        try scene.expectTruth("d/e", "d/e/l", "d")
    }

    /// A directory is replaced in a layer for as long as it takes to judge a name in it, and back before that is dealt with:
    /// what the other one lacks as well was made, and what it has as well was moved there.
    @Test(arguments: ["touch upper/d/name", "mv upper/d/file q/file"])
    func aNameJudgedInBetween(change: String) throws {
        let scene = try CoherenceScene("mkdir -p upper/d lower1/d upper/e q; touch upper/d/file")
        let kernel = scene.kernel
        #expect(kernel.exists("d/file"))
        for path in ["d/name", "e/name"] { #expect(!kernel.exists(path)) }
        scene.settle()
        let late = try kernel.holdLookup(of: "e/none")
        scene.settle(after: "\(change); touch upper/e/name; mv upper/d t; mv q upper/d")
        #expect(!kernel.waitingDrops.isEmpty)
        scene.underneath("mv upper/d q; mv t upper/d")
        _ = try? late.arrive()
        scene.settle()
        try scene.expectTruth("d/name", "d/file", "d", "e/name")
    }

    /// Somebody stands in a directory that the kernel knows by no name, as a stranger has moved it. What it has moved to, or
    /// it itself, gets or loses a part, or is marked.
    @Test(arguments: [
        ("upper", "mv lower1/b lower1/a", ":"), ("upper", "mv lower1/a away", "mv lower1/b lower1/a"),
        ("upper", "setfattr -n user.overlay.opaque -v y upper/a", "mv lower1/b lower1/a"),
        ("upper", "mkdir lower1/a/d; touch lower1/a/d/l", "mkdir lower1/a"),
        ("lower2", "mkdir lower1/a/d; touch lower1/a/d/l", "mkdir lower1/a"),
        ("lower2", "mv lower1/b lower1/a", ":"),
    ])
    func aPartWhereSomebodyStands(layer: String, change: String, before: String) throws {
        let scene = try CoherenceScene(
            lowers: 2,
            """
            mkdir -p \(layer)/x/d \(layer)/a lower1/b/d; touch \(layer)/x/d/u lower1/b/d/l
            \(before)
            """)
        let kernel = scene.kernel
        let held = try kernel.hold("x/d")
        try kernel.stat("a")
        scene.settle()
        scene.settle(after: "mv \(layer)/x/d \(layer)/a/d")
        _ = kernel.exists("l", from: held)
        scene.settle()
        scene.settle(after: change)
        #expect(try kernel.exists("l", from: held) == kernel.names(in: held).contains("l"))
        #expect(kernel.exists("u", from: held))
        try scene.expectTruth("a/d/l", "a/d/u", "a/d", "a")
        #expect(kernel.exists("l", from: held) == kernel.exists("a/d/l"))
    }

    /// A request finds a directory that is made of others, and leaves them to the events, as the kernel keeps names in it. Just
    /// then another request has found it in a directory that isn't watched, and nothing of it is kept any more: what the
    /// kernel has of it is still to be put right.
    @Test func anEndOfKeepingInBetween() throws {
        let scene = try CoherenceScene("mkdir -p upper/a/d/c upper/q lower1/a/d; touch upper/q/f")
        let held = try scene.kernel.hold("a/d")
        #expect(scene.kernel.exists("c", from: held))
        #expect(!scene.kernel.exists("f", from: held))
        scene.settle()
        let union = scene.fixture.union
        let (reporting, resolver) = (union.reporting, union.resolver)
        let parent = try resolver.node(scene.kernel.walk("a"))
        let node = try resolver.node(held)
        try scene.beforeEvents {
            scene.underneath("mv upper/a/d t; mv upper/q upper/a/d")
            let view = try resolver.view(of: parent)
            let lookup = try resolver.lookup(view, "d", in: parent)
            let owner = try #require(lookup.owner)
            let found = reporting.reportNode(
                lookup, owner, node.filesystem, "d", in: parent, isLast: false)
            #expect(found === node)
            node.state.withLock { $0.isCached = false }
            _ = reporting.prepareCaching(of: node, lookup, "d", in: parent, view, watches: .first)
            reporting.forget(node.id, count: 1)
        }
        scene.settle()
        #expect(!scene.kernel.exists("c", from: held))
        #expect(scene.kernel.exists("f", from: held))
        try scene.expectTruth("a/d/c", "a/d/f", "a/d")
    }

    /// Somebody stands in a directory that the kernel knows by no name. It goes from where it had been moved to, or with what
    /// it is in.
    @Test(arguments: ["mv lower1/a/d away", "mv lower1/a away"])
    func aDirectoryThatIsMovedTwice(change: String) throws {
        let scene = try CoherenceScene("mkdir -p lower1/x/d lower1/a; touch lower1/x/d/f")
        let kernel = scene.kernel
        let held = try kernel.hold("x/d")
        try kernel.stat("a")
        scene.settle()
        scene.settle(after: "mv lower1/x/d lower1/a/d")
        #expect(kernel.exists("f", from: held))
        #expect(try kernel.names(in: held) == ["f"])
        scene.settle()
        scene.settle(after: change)
        #expect(!kernel.exists("f", from: held))
        #expect(try kernel.names(in: held) == [])
        try scene.expectTruth("a", "a/d", "a/d/f")
    }

    /// Somebody stands in a directory that has gone, or that another one has replaced. Somebody else has asked for the name
    /// before the event was dealt with. The kernel itself drops no name below that is in use.
    @Test(arguments: [":", "mkdir lower1/d"]) func aRequestThatIsFasterThanTheEvent(more: String) throws {
        let scene = try CoherenceScene("mkdir -p lower1/d/f")
        let kernel = scene.kernel
        let held = try kernel.hold("d")
        _ = try kernel.hold("d/f")
        scene.settle()
        scene.beforeEvents {
            scene.underneath("mv lower1/d away; \(more)")
            _ = try? kernel.holdRevalidation(of: "d").arrive()
            _ = kernel.exists("d")
        }
        scene.settle()
        #expect(!kernel.exists("f", from: held))
        try scene.expectTruth("d", "d/f")
    }
}

import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// `orphans=hide`: each line of the contract's table, before and after a remount.
@Suite struct OrphanHideTests {
    @Test(arguments: SceneKind.available) func itGoesWithEverythingInIt(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B")
        var union = try scene.open(.hide)
        try union.note("A/note")
        try union.note("A/B/deep")
        #expect(try union.notes("A") == ["B", "note"])
        let node = try union.node("A")
        scene.below("rmdir A/B A")
        for _ in 0..<2 {
            #expect(!union.exists("A") && !union.exists("A/note"))
            #expect(try union.notes("").isEmpty)
            #expect(scene.keeps("note") && scene.keeps("deep"))
            #expect(try union.union.orphans().map(\.path) == ["A"])
            #expect(try union.union.orphans().map(\.entries) == [2])
            union = try scene.open(.hide)
        }
        #expect(throws: Errno.self) { _ = try union.union.attributes(of: node, handle: nil) }
    }

    @Test(arguments: SceneKind.available) func aRemountShowsThemAsBefore(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B")
        try scene.open(.hide).note("A/B/note")
        let union = try scene.open(.hide)
        #expect(try union.notes("A/B") == ["note"])
        let inode = try union.attributes("A/B").inode
        #expect(try union.listing("A")["B"] == inode)
        try union.note("A/B/second")
        #expect(try union.notes("A/B") == ["note", "second"])
        #expect(try union.union.orphans().isEmpty)
    }

    @Test(arguments: SceneKind.renaming) func theSameDirectoryAgain(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A")
        var union = try scene.open(.hide)
        try union.note("A/note")
        scene.below("mv A B")
        #expect(!union.exists("A"))
        #expect(try union.notes("B").isEmpty)
        scene.below("mkdir A")
        #expect(try union.notes("A").isEmpty)
        union = try scene.open(.hide)
        #expect(try union.notes("A").isEmpty)
        scene.below("rmdir A; mv B A")
        #expect(try union.notes("A") == ["note"])
        #expect(try union.union.orphans().isEmpty)
    }

    @Test(arguments: SceneKind.available) func anotherOneStartsEmpty(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A")
        var union = try scene.open(.hide)
        try union.note("A/note", "old")
        scene.below("rmdir A; mkdir A")
        for _ in 0..<2 {
            #expect(try union.notes("A").isEmpty)
            #expect(!union.exists("A/note"))
            #expect(try union.listing("")["A"] == union.attributes("A").inode)
            union = try scene.open(.hide)
        }
        try union.note("A/note", "new")
        try union.note("A/other")
        for _ in 0..<2 {
            #expect(try union.notes("A") == ["note", "other"])
            #expect(try union.union.orphans().map(\.path) == ["A"])
            #expect(try union.notes("") == ["A"])
            union = try scene.open(.hide)
        }
        // Both have a note: nothing is lost.
        let id = try #require(try union.union.orphans().first?.id)
        #expect(union.error { () throws(Errno) in try union.union.restoreOrphan(id) } == .fileExists)
        try union.unlink("A/note")
        try union.union.restoreOrphan(id)
        #expect(try union.notes("A") == ["note", "other"])
        #expect(try union.union.orphans().isEmpty)
        union = try scene.open(.hide)
        #expect(try union.notes("A") == ["note", "other"])
    }

    /// A process that stands in the old one, and the path of the new one, in every depth.
    @Test(arguments: SceneKind.available) func nestedSkeletonsStayUnseenBelowAnotherOne(kind: SceneKind)
        throws
    {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B A/B/C")
        let union = try scene.open(.hide)
        try union.note("A/B/C/deep")
        try union.mkdir("A/own")
        try union.note("A/own/inside")
        let own = try union.node("A/own")
        scene.below("rmdir A/B/C A/B A; mkdir A A/B A/B/C")
        #expect(try union.notes("A") == ["B"])
        #expect(try union.notes("A/B/C").isEmpty)
        #expect(!union.exists("A/own"))
        #expect(throws: Errno.self) { _ = try union.union.lookup(own, "inside", root) }
        try union.note("A/B/C/new")
        #expect(try union.notes("A/B/C") == ["new"])
        #expect(try union.union.orphans().map(\.path) == ["A"])
        #expect(try union.union.orphans().map(\.entries) == [3])
        let id = try #require(try union.union.orphans().first?.id)
        try union.union.purgeOrphan(id)
        #expect(try union.notes("A/B/C") == ["new"])
        #expect(!scene.keeps("deep") && !scene.keeps("inside"))
    }

    @Test(arguments: SceneKind.available) func itsNameIsFree(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A B C")
        let union = try scene.open(.hide)
        for name in ["A", "B", "C"] { try union.note(name + "/old") }
        scene.below("rmdir A B C")
        try union.note("A", "a link")
        try union.mkdir("B")
        try union.note("B/new")
        try union.rename("A", "C")
        #expect(try union.notes("") == ["B", "C"])
        #expect(try union.notes("B") == ["new"])
        let found = try union.union.orphans()
        #expect(found.map(\.path).sorted() == ["A", "B", "C"])
        // Something else has the name.
        let taken = try #require(found.first { $0.path == "C" }?.id)
        #expect(union.error { () throws(Errno) in try union.union.restoreOrphan(taken) } == .fileExists)
        let free = try #require(found.first { $0.path == "A" }?.id)
        try union.union.restoreOrphan(free)
        #expect(try union.notes("A") == ["old"])
        try union.union.purgeAllOrphans()
        #expect(try union.union.orphans().isEmpty)
        #expect(try union.notes("") == ["A", "B", "C"])
    }

    @Test(arguments: SceneKind.available) func removingWhatHoldsOneKeepsIt(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir P P/A")
        var union = try scene.open(.hide)
        try union.note("P/A/note")
        scene.below("rmdir P/A")
        try union.rmdir("P")
        #expect(!union.exists("P"))
        #expect(scene.keeps("note"))
        union = try scene.open(.hide)
        let orphan = try #require(try union.union.orphans().first)
        #expect(orphan.path == "P" && orphan.entries == 1)
        try union.union.restoreOrphan(orphan.id)
        #expect(try union.notes("P/A") == ["note"])
    }

    @Test(arguments: SceneKind.available) func restoredInPlace(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B")
        var union = try scene.open(.hide)
        try union.note("A/B/note")
        scene.below("rmdir A/B A; mkdir A")
        let id = try #require(try union.union.orphans().first?.id)
        try union.union.restoreOrphan(id)
        for _ in 0..<2 {
            #expect(try union.notes("A") == ["B"])
            #expect(try union.notes("A/B") == ["note"])
            #expect(try union.union.orphans().isEmpty)
            union = try scene.open(.hide)
        }
    }

    /// Many at once find the old one in their way: each of their entries is kept, and the old one too.
    @Test(arguments: SceneKind.available) func manyMakeRoomAtOnce(kind: SceneKind) async throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B")
        let union = try scene.open(.hide)
        try union.note("A/B/old")
        scene.below("rmdir A/B A; mkdir A A/B")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<16 {
                group.addTask { try union.note("A/B/new\(index)") }
            }
            try await group.waitForAll()
        }
        #expect(try union.notes("A/B").count == 16)
        #expect(try union.union.orphans().map(\.path) == ["A"])
        #expect(scene.keeps("old"))
    }

    @Test func aFileBelowShowsInItsPlace() throws {
        let scene = try OrphanScene(.ext4)
        scene.below("mkdir A")
        let union = try scene.open(.hide)
        try union.note("A/note")
        scene.below("rmdir A; echo text > A")
        #expect(try union.read("A") == "text\n")
        #expect(try union.listing("")["A"] == union.attributes("A").inode)
        try union.unlink("A")
        #expect(!union.exists("A") && scene.keeps("note"))
    }

    @Test func coveredByAWhiteout() throws {
        let scene = try OrphanScene(.ext4)
        scene.below("mkdir A")
        try scene.open(.hide).note("A/note")
        scene.below("rmdir A; mkdir A")
        var configuration = UnionConfiguration(
            layers: [
                LayerConfiguration(path: scene.upper), LayerConfiguration(path: scene.lower, readOnly: true),
            ], hasUpper: true, workDirectory: scene.base + "/work")
        configuration.policies.orphans = .hide
        let union = try Fixture(base: scene.base, configuration: configuration)
        try union.rmdir("A")
        #expect(!union.exists("A") && scene.keeps("note"))
        #expect(try union.union.orphans().map(\.path) == ["A"])
    }

    /// A record from a filesystem whose numbers pass tells nothing: then the name does.
    @Test(.enabled(if: isRoot, "trusted attributes need root"))
    func anUnknownRecordGoesByName() throws {
        let scene = try OrphanScene(.ext4)
        scene.below("mkdir A")
        try scene.open(.hide).note("A/note")
        #expect(
            shell(
                "for k in trusted user; do setfattr -n $k.switchfs.origin -v 9 \(scene.upper)/A; done; true")
                == 0)
        scene.below("mkdir B; rmdir A; mkdir A")
        #expect(try scene.open(.hide).notes("A") == ["note"])
    }
}

import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// `orphans=keep`: each line of the contract's table, before and after a remount.
@Suite struct OrphanKeepTests {
    @Test(arguments: SceneKind.available) func withoutASkeletonItIsGone(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A")
        let union = try scene.open(.keep)
        let node = try union.node("A")
        scene.below("rmdir A")
        #expect(!union.exists("A"))
        #expect(try union.notes("").isEmpty)
        // Who stands in it sees that it was removed.
        #expect(try union.union.attributes(of: node, handle: nil).0.linkCount == 0)
    }

    @Test(.enabled(if: isRoot, "changing owners needs root"), arguments: SceneKind.available)
    func itStaysWithItsEntries(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A; chmod 750 A")
        var union = try scene.open(.keep)
        let before = try union.attributes("A")
        try union.note("A/note")
        #expect(try union.attributes("A").inode == before.inode)
        #expect(try union.listing("")["A"] == before.inode)
        // The last that the union saw of it.
        scene.below("chmod 711 A; chown 7:8 A")
        #expect(try union.attributes("A").mode & 0o777 == 0o711)
        scene.below("rmdir A")
        for _ in 0..<2 {
            let after = try union.attributes("A")
            #expect(after.mode & 0o7777 == 0o711 && after.uid == 7 && after.gid == 8)
            #expect(after.inode != before.inode)
            #expect(try union.listing("")["A"] == after.inode)
            #expect(try union.notes("A") == ["note"])
            #expect(union.exists("A/note"))
            #expect(union.error { () throws(Errno) in try union.rmdir("A") } == .directoryNotEmpty)
            union = try scene.open(.keep)
        }
        try union.unlink("A/note")
        #expect(!union.exists("A"))
        #expect(try union.notes("").isEmpty)
    }

    @Test(arguments: SceneKind.available) func sameNameAgainIsMergedAgain(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A")
        var union = try scene.open(.keep)
        try union.note("A/note")
        let first = try union.attributes("A").inode
        scene.below("rmdir A; mkdir B A")
        for _ in 0..<2 {
            let again = try union.attributes("A")
            #expect(again.inode != first || !kind.lowerIsCgroup)
            #expect(try union.listing("")["A"] == again.inode)
            #expect(try union.notes("A") == ["note"])
            union = try scene.open(.keep)
        }
        try union.note("A/second")
        #expect(try union.notes("A") == ["note", "second"])
        #expect(try union.union.orphans().isEmpty)
    }

    @Test(arguments: SceneKind.renaming) func aRenamedOriginLeavesItsEntriesBehind(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/sub")
        let union = try scene.open(.keep)
        try union.note("A/note")
        let before = try union.attributes("A").inode
        scene.below("mv A B")
        #expect(try union.notes("B") == ["sub"])
        #expect(try union.attributes("B").inode == before)
        #expect(try union.notes("A") == ["note"])
        #expect(try union.attributes("A").inode != before)
        #expect(try union.union.orphans().map(\.path) == ["A"])
    }

    @Test(arguments: SceneKind.available) func nestedOrphans(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B A/C")
        let union = try scene.open(.keep)
        try union.note("A/B/note")
        try union.note("A/C/gone")
        try union.unlink("A/C/gone")
        scene.below("rmdir A/B A/C A")
        #expect(try union.notes("") == ["A"])
        // An orphan without entries isn't shown, in a directory of the upper's own neither.
        #expect(try union.notes("A") == ["B"])
        #expect(!union.exists("A/C"))
        #expect(try union.notes("A/B") == ["note"])
        // Its name is free.
        try union.mkdir("A/C")
        #expect(try union.notes("A") == ["B", "C"])
    }

    @Test(arguments: SceneKind.available) func anEmptyOrphanOverAFile(kind: SceneKind) throws {
        guard !kind.lowerIsCgroup else { return }
        let scene = try OrphanScene(kind)
        scene.below("mkdir A")
        let union = try scene.open(.keep)
        try union.note("A/note")
        try union.unlink("A/note")
        scene.below("rmdir A; echo text > A")
        #expect(try union.read("A") == "text\n")
        #expect(try union.listing("")["A"] == union.attributes("A").inode)
    }

    @Test(arguments: SceneKind.available) func listRestoreAndPurge(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A B C")
        var union = try scene.open(.keep)
        for name in ["A", "B", "C"] { try union.note(name + "/note") }
        scene.below("rmdir A B C")
        let found = try union.union.orphans()
        #expect(found.map(\.path).sorted() == ["A", "B", "C"])
        #expect(found.allSatisfy { $0.entries == 1 && $0.origin.hasPrefix(scene.lower) })
        union = try scene.open(.keep)
        #expect(try union.union.orphans() == found)
        let id = try #require(found.first { $0.path == "A" }?.id)
        try union.union.restoreOrphan(id)
        #expect(try union.notes("A") == ["note"])
        // It is a directory like any other from now on.
        try union.unlink("A/note")
        #expect(try union.notes("").contains("A"))
        let other = try #require(found.first { $0.path == "B" }?.id)
        try union.union.purgeOrphan(other)
        #expect(!union.exists("B"))
        #expect(union.error { () throws(Errno) in try union.union.purgeOrphan(other) } != nil)
        try union.union.purgeAllOrphans()
        #expect(try union.notes("") == ["A"])
        #expect(!scene.keeps("note"))
    }

    /// An empty skeleton in the directory must not make it look empty.
    @Test func rmdirSeesWhatIsBelowAnEmptySkeleton() throws {
        let scene = try OrphanScene(.ext4)
        scene.below("mkdir -p A/B")
        let union = try scene.open(.keep)
        try union.note("A/B/note")
        try union.unlink("A/B/note")
        #expect(union.error { () throws(Errno) in try union.rmdir("A") } == .directoryNotEmpty)
        #expect(union.exists("A/B"))
        try union.rmdir("A/B")
        try union.rmdir("A")
        #expect(!union.exists("A"))
    }

    @Test(arguments: SceneKind.available) func aMovedOrphanIsTheUsersOwn(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A")
        let union = try scene.open(.keep)
        try union.note("A/note")
        scene.below("rmdir A")
        try union.mkdir("own")
        try union.rename("A", "own/moved")
        try union.unlink("own/moved/note")
        #expect(union.exists("own/moved"))
        #expect(try union.notes("own") == ["moved"])
        #expect(try union.union.orphans().isEmpty)
    }

    @Test func aReadOnlyUnionTouchesNothing() throws {
        let scene = try OrphanScene(.ext4)
        scene.below("mkdir A")
        try scene.open(.keep).note("A/note")
        scene.below("chmod 700 A")
        let union = try scene.open(.keep, readOnly: true)
        #expect(try union.attributes("A").mode & 0o777 == 0o700)
        #expect(shell("test $(stat -c %a \(scene.upper)/A) = 755") == 0)
        scene.below("rmdir A")
        let id = try #require(try union.union.orphans().first?.id)
        for change in [union.union.restoreOrphan, union.union.purgeOrphan] {
            #expect(union.error { () throws(Errno) in try change(id) } == .readOnlyFileSystem)
        }
    }

    /// A stranger moves a skeleton and what it stands for. Nothing marks the directory that they come to.
    @Test func movedWithItsOrigin() throws {
        let scene = try CoherenceScene("mkdir -p lower1/p/d lower1/q upper/q")
        try scene.kernel.create("p/d/note")
        scene.underneath("mv lower1/p/d lower1/q/e; mv upper/p/d upper/q/e")
        // Nobody has looked at it since.
        let union = try Fixture(base: scene.fixture.base, configuration: scene.configuration)
        #expect(try union.listing("q")["e"] == union.attributes("q/e").inode)
        #expect(try union.names("q/e") == ["note"])
    }
}

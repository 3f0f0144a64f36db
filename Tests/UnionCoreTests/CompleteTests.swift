import LinuxSystem
import SystemPackage
import Testing
import UnionCore

@Suite struct CompleteTests {
    private func setComplete(_ fixture: Fixture, _ path: String, _ isComplete: Bool = true) throws(Errno) {
        try fixture.union.setComplete(isComplete, path: Array(path.utf8))
    }

    @Test func aCompleteDirectoryHidesWhatIsBelow() throws {
        let fixture = try Fixture(
            lowers: 2,
            before: {
                shell("cd \($0); mkdir -p lower1/p/d lower2/p/d; echo > lower1/p/d/a; echo > lower2/p/d/b")
            })
        try fixture.create("p/d/up")
        #expect(try fixture.names("p/d") == ["a", "b", "up"])
        try setComplete(fixture, "p/d")
        // The skeleton above is bookkeeping: the owner is what is complete.
        #expect(try fixture.names("p/d") == ["a", "up"])
        #expect(!fixture.exists("p/d/b"))
        try setComplete(fixture, "p/d", false)
        #expect(try fixture.names("p/d") == ["a", "b", "up"])
    }

    @Test(.enabled(if: isRoot, "trusted attributes need root"))
    func offLiftsOverlaysMarkToo() throws {
        let fixture = try Fixture(before: {
            shell(
                """
                cd \($0); mkdir upper/d lower1/d; echo > lower1/d/b
                for k in trusted user; do setfattr -n $k.overlay.opaque -v y upper/d; done
                """)
        })
        #expect(try fixture.names("d").isEmpty)
        try setComplete(fixture, "/d/", false)
        #expect(try fixture.names("d") == ["b"])
    }

    /// An orphan that is complete stays what it is when a lower has a directory of its name again.
    @Test func aCompleteOrphanIsListedAsItIs() throws {
        let fixture = try Fixture(before: { shell("cd \($0); mkdir lower1/d") })
        try fixture.create("d/up")
        shell("cd \(fixture.base); rmdir lower1/d")
        try setComplete(fixture, "d")
        shell("cd \(fixture.base); mkdir lower1/d; echo > lower1/d/low")
        #expect(try fixture.names("d") == ["up"])
        #expect(try fixture.listing("")["d"] == fixture.attributes("d").inode)
        try fixture.unlink("d/up")
        #expect(try fixture.names("d") == ["low"])
        #expect(try fixture.listing("")["d"] == fixture.attributes("d").inode)
    }

    @Test func refusals() throws {
        let fixture = try Fixture(
            readOnly: [1], before: { shell("cd \($0); mkdir lower1/d; echo > lower1/f") })
        func error(_ path: String) -> Errno? {
            fixture.error { () throws(Errno) in try setComplete(fixture, path) }
        }
        #expect(error("d") == .readOnlyFileSystem)
        #expect(error("f") == .notDirectory)
        #expect(error("none") == .noSuchFileOrDirectory)
        #expect(error("") == .invalidArgument)
    }

    @Test(arguments: SceneKind.available) func everyKindOfLayer(kind: SceneKind) throws {
        let scene = try OrphanScene(kind)
        scene.below("mkdir A A/B")
        var union = try scene.open(.keep)
        try union.mkdir("own")
        try setComplete(union, "own")
        scene.below("mkdir own own/unseen")
        union = try scene.open(.keep)
        #expect(try union.notes("own").isEmpty)
        try setComplete(union, "own", false)
        #expect(try union.notes("own") == ["unseen"])
    }
}

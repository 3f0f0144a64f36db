import LinuxSystem
import Synchronization
import SystemPackage
import Testing

@testable import UnionCore

/// Files that are kept by their directory's watch until they have one of their own.
@Suite struct FilesByDirectoryTests {
    private func scene(_ files: String = "touch lower1/a/f lower1/a/g") throws -> CoherenceScene {
        let scene = try CoherenceScene("mkdir -p lower1/a lower1/other upper/a; \(files)")
        try scene.kernel.stat("a")
        scene.settle()
        // Nothing but the directory's watch keeps files true.
        scene.fixture.union.coherence.filesToSettle.stop()
        return scene
    }

    /// The events that have come so far are dealt with, and nothing else is looked at.
    private func takeEventsIn(_ scene: CoherenceScene) {
        scene.changes.drain()
        scene.fixture.union.coherence.invalidations.waitForAll()
        scene.kernel.sendForgets()
    }

    /// Attributes are kept at once, and there is no watch but the directories'.
    @Test func noWatchAtFirst() throws {
        let scene = try scene()
        let watches = scene.changes.watchCount
        try scene.kernel.stat("a/f")
        scene.kernel.forgetRecords()
        try scene.kernel.stat("a/f")
        #expect(scene.kernel.requests == [])
        #expect(scene.changes.watchCount == watches)
    }

    /// Files that have waited get their own watches on a thread that goes to their directory.
    private func settleFiles(_ scene: CoherenceScene) throws {
        let union = scene.fixture.union
        try WorkerThread.spawn(name: "settler") {
            union.reporting.settleFiles(from: try? OwnWorkingDirectory())
        }.join()
    }

    private func sceneWithTold() throws -> CoherenceScene {
        let scene = try scene("touch lower1/a/f lower1/a/g lower1/a/h lower1/a/i")
        let coherence = scene.fixture.union.coherence
        // Files are taken again, but nobody settles them.
        coherence.settler.withLock { $0.take() }?.join()
        coherence.filesToSettle.start()
        for name in ["f", "g", "h", "i"] { try scene.kernel.stat("a/" + name) }
        return scene
    }

    @Test func eachGetsItsOwn() throws {
        let scene = try sceneWithTold()
        let watches = scene.changes.watchCount
        try settleFiles(scene)
        #expect(scene.changes.watchCount == watches + 4)
        scene.kernel.forgetRecords()
        scene.settle(after: "ln lower1/a/f lower1/other/f; chmod 600 lower1/other/f; chmod 640 lower1/a/g")
        try scene.expectTruth("a/f", "a/g")
    }

    /// What has the name when it is watched is another file, and the right one has it before and after.
    @Test(arguments: [true, false]) func anotherForAMoment(comesBack: Bool) throws {
        let scene = try sceneWithTold()
        let (there, back) = (
            scene.stranger("mv lower1/a/f lower1/other/f; touch lower1/a/f"),
            scene.stranger("mv lower1/other/f lower1/a/f")
        )
        scene.changes.beforeNextWatch(there)
        if comesBack { scene.changes.afterNextWatchByName(back) }
        try settleFiles(scene)
        takeEventsIn(scene)
        try scene.expectTruth("a/f", "a/g")
        // By a name of which no directory's watch tells.
        scene.settle(after: "ln lower1/a/f lower1/other/h; echo more >>lower1/other/h")
        try scene.expectTruth("a/f", "a/g")
    }

    /// A watch tells that its file has left the name: perhaps it is another file's, and the right one is there.
    @Test func aWatchThatIsPerhapsAnothers() throws {
        let scene = try sceneWithTold()
        try settleFiles(scene)
        let file = scene.path("lower1/a/f")
        let owner = try #require(scene.changes.watchers(of: file).first)
        scene.fixture.union.coherence.source?.unwatch(owner.node)
        scene.changes.tell(.gone, of: owner)
        takeEventsIn(scene)
        try scene.expectTruth("a/f")
        scene.settle(after: "ln lower1/a/f lower1/other/f; chmod 600 lower1/other/f")
        try scene.expectTruth("a/f")
    }

    /// A file with several links may change by a name in a directory that isn't watched.
    @Test func severalLinksHaveTheirOwn() throws {
        let scene = try scene("touch lower1/a/f; ln lower1/a/f lower1/other/f")
        let watches = scene.changes.watchCount
        try scene.kernel.stat("a/f")
        #expect(scene.changes.watchCount == watches + 1)
    }

    /// The directory's events alone: the file still has no watch of its own.
    @Test(arguments: [
        "chmod 600 lower1/a/f", "echo more >>lower1/a/f", "touch -d @1000 lower1/a/f", "rm lower1/a/f",
        "mv lower1/a/g lower1/a/f", "mv lower1/a/f lower1/other/f; chmod 600 lower1/other/f",
        "touch upper/a/f", "mv lower1/a lower1/b; chmod 600 lower1/b/f; mv lower1/b lower1/a",
        "rm -r upper/a; echo more >>lower1/a/f", "mkdir -p upper/b; mv upper/a upper/b; echo x >>lower1/a/f",
    ])
    func changes(change: String) throws {
        let scene = try scene()
        try scene.kernel.stat("a/f")
        scene.underneath(change)
        takeEventsIn(scene)
        try scene.expectTruth("a/f", "a/g")
    }

    /// A second link elsewhere, and what happens by it, shows when it is asked to.
    @Test func aLinkElsewhere() throws {
        let scene = try scene()
        try scene.kernel.stat("a/f")
        scene.settle(
            after: "ln lower1/a/f lower1/other/f; chmod 600 lower1/other/f; echo more >>lower1/other/f")
        try scene.expectTruth("a/f")
        // It has its own watch by now.
        scene.settle(after: "chmod 640 lower1/other/f")
        try scene.expectTruth("a/f")
    }

    /// What is asked for again has its own watch.
    @Test func aSecondLook() throws {
        let scene = try scene()
        try scene.kernel.stat("a/f")
        scene.underneath("chmod 600 lower1/a/f")
        takeEventsIn(scene)
        try scene.kernel.stat("a/f")
        #expect(!scene.changes.watchers(of: scene.path("lower1/a/f")).isEmpty)
    }

    /// The file changes after the look at it, and before it is noted that it is kept.
    @Test(arguments: ["echo more >>lower1/a/f", "chmod 600 lower1/a/f"])
    func aChangeInBetween(change: String) throws {
        let scene = try scene()
        // The directory comes to be watched for writes to its files.
        scene.changes.beforeWatching(scene.path("upper/a"), scene.stranger(change))
        try scene.kernel.stat("a/f")
        takeEventsIn(scene)
        try scene.expectTruth("a/f")
    }

    /// A client moves the file to a directory that isn't watched for writes to its files.
    @Test func aClientsRename() throws {
        let scene = try scene()
        try scene.kernel.stat("a/f")
        try scene.kernel.stat("other")
        try scene.kernel.rename("a/f", "other/f")
        scene.underneath("echo more >>lower1/other/f")
        takeEventsIn(scene)
        try scene.expectTruth("other/f", "a/f")
    }

    /// While a client writes nothing is kept.
    @Test func aWriterEndsIt() throws {
        let scene = try scene()
        let union = scene.fixture.union
        try scene.kernel.stat("a/f")
        let node = try scene.kernel.walk("a/f")
        let file = try union.open(node, flags: OpenFlags.writeOnly.rawValue, root)
        takeEventsIn(scene)
        scene.underneath("echo more >>lower1/a/f")
        try scene.expectTruth("a/f")
        union.release(file.handle)
        try scene.expectTruth("a/f")
    }
}

import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Renames by clients: what is below moves along, with its mounts, and what a whiteout hides is never reached.
@Suite struct ClientRenameTests {
    private func scene(_ layers: String) throws -> CoherenceScene {
        try CoherenceScene(lowers: 2, "mkdir -p upper/d/m; echo 1 >upper/d/f; \(layers)")
    }

    /// A directory with a mount below: no name is dropped, and none asked for again.
    @Test func aDirectoryWithAMountBelow() throws {
        let scene = try scene(":")
        let kernel = scene.kernel
        let mounts = [try kernel.mount(on: "d/m"), try kernel.mount(on: "d/f")]
        let held = try kernel.hold("d")
        #expect(!kernel.exists("d/none"))
        scene.settleAndForget()
        try kernel.rename("d", "e")
        scene.settle()
        #expect(kernel.droppedNames == [])
        #expect(mounts.allSatisfy(kernel.isMounted))
        kernel.forgetRecords()
        #expect(try kernel.walk("e") == held)
        #expect(kernel.exists("e/m"))
        #expect(!kernel.exists("e/none"))
        #expect(kernel.requests == [])
        try scene.expectTruth("d", "e", "e/f", "e/m")
        scene.underneath("rm upper/e/f; touch upper/e/none")
        scene.settle()
        #expect(!kernel.exists("f", from: held))
        #expect(kernel.exists("none", from: held))
    }

    /// To another directory, over nothing, over an empty one, and back.
    @Test func directoriesBetweenDirectories() throws {
        let scene = try scene("mkdir -p upper/to/empty")
        let kernel = scene.kernel
        let mount = try kernel.mount(on: "d/m")
        for (path, newPath) in [("d", "to/d"), ("to/d", "to/empty"), ("to/empty", "d")] {
            try kernel.stat(path)
            try kernel.rename(path, newPath)
            scene.settle()
            try scene.expectTruth(path, newPath, newPath + "/f", newPath + "/m", "to")
        }
        #expect(kernel.isMounted(mount))
        #expect(kernel.droppedNames == [])
    }

    @Test func files() throws {
        let scene = try scene("touch upper/d/g")
        let kernel = scene.kernel
        for path in ["d/f", "d/g"] { try kernel.stat(path) }
        #expect(!kernel.exists("d/h"))
        scene.settleAndForget()
        try kernel.rename("d/f", "d/h")
        try kernel.rename("d/g", "d/h")
        scene.settle()
        #expect(kernel.droppedNames == [])
        try scene.expectTruth("d/f", "d/g", "d/h", "d")
    }

    /// Both change places, and what is mounted below goes with them.
    @Test func anExchange() throws {
        let scene = try scene("mkdir -p upper/e/m; echo 2 >upper/e/f")
        let kernel = scene.kernel
        let mounts = [try kernel.mount(on: "d/m"), try kernel.mount(on: "e/m")]
        let (d, e) = (try kernel.walk("d"), try kernel.walk("e"))
        for path in ["d/f", "e/f"] { try kernel.stat(path) }
        scene.settleAndForget()
        try kernel.rename("d", "e", flags: .exchange)
        scene.settle()
        #expect(try kernel.walk("e") == d)
        #expect(try kernel.walk("d") == e)
        #expect(mounts.allSatisfy(kernel.isMounted))
        try scene.expectTruth("d", "e", "d/f", "e/f", "d/m", "e/m")
    }

    /// A directory over a whiteout becomes complete. Not even for a moment does it show what was hidden.
    @Test(arguments: ["mknod upper/w c 0 0", "mknod lower1/w c 0 0"])
    func overAWhiteout(whiteout: String) throws {
        let scene = try scene("mkdir lower2/w; touch lower2/w/ghost lower2/w/f; \(whiteout)")
        let kernel = scene.kernel
        #expect(!kernel.exists("w"))
        let mount = try kernel.mount(on: "d/m")
        let held = try kernel.hold("d")
        #expect(!kernel.exists("d/none"))
        scene.settleAndForget()
        try scene.beforeEvents {
            try kernel.rename("d", "w")
            #expect(!kernel.exists("w/ghost"))
            #expect(!kernel.exists("ghost", from: held))
            #expect(throws: Errno.noSuchFileOrDirectory) { try kernel.unlink("w/ghost") }
            #expect(try kernel.list("w").sorted() == ["f", "m"])
        }
        scene.settle()
        #expect(!kernel.exists("w/ghost"))
        #expect(try kernel.walk("w") == held)
        #expect(kernel.isMounted(mount))
        #expect(kernel.droppedNames == [])
        try scene.expectTruth("w", "w/f", "w/m", "w/ghost", "d")
    }

    /// Over a directory that shows nothing, as whiteouts hide all that is in it.
    @Test func overAnEmptiedDirectory() throws {
        let scene = try scene("mkdir upper/w lower1/w; touch lower1/w/ghost; mknod upper/w/ghost c 0 0")
        let kernel = scene.kernel
        let replaced = try kernel.hold("w")
        #expect(!kernel.exists("w/ghost"))
        let held = try kernel.hold("d")
        scene.settleAndForget()
        try scene.beforeEvents {
            try kernel.rename("d", "w")
            #expect(!kernel.exists("w/ghost"))
            #expect(!kernel.exists("ghost", from: replaced))
        }
        scene.settle()
        #expect(!kernel.exists("ghost", from: held))
        #expect(try kernel.walk("w") == held)
        try scene.expectTruth("w", "w/f", "w/ghost", "d")
    }

    /// Directories below are shut out from the lower ones as well.
    @Test func overAWhiteoutDeepBelow() throws {
        let scene = try scene(
            "mkdir -p lower1/w/m/n upper/d/m/n; touch lower1/w/m/n/ghost; mknod upper/w c 0 0")
        let kernel = scene.kernel
        let held = try kernel.hold("d/m/n")
        scene.settleAndForget()
        try scene.beforeEvents {
            try kernel.rename("d", "w")
            #expect(!kernel.exists("ghost", from: held))
            #expect(!kernel.exists("w/m/n/ghost"))
        }
        scene.settle()
        #expect(!kernel.exists("ghost", from: held))
        try scene.expectTruth("w/m/n/ghost", "w/m/n", "w/m", "w")
    }

    /// The same in an exchange, for both.
    @Test func anExchangeOverHidden() throws {
        let scene = try scene("mkdir -p upper/c; setfattr -n user.overlay.opaque -v y upper/c")
        let kernel = scene.kernel
        scene.underneath("mkdir lower1/c; touch lower1/c/ghost")
        let (c, d) = (try kernel.hold("c"), try kernel.hold("d"))
        scene.settleAndForget()
        try scene.beforeEvents {
            try kernel.rename("d", "c", flags: .exchange)
            for node in [c, d] { #expect(!kernel.exists("ghost", from: node)) }
        }
        scene.settle()
        for node in [c, d] { #expect(!kernel.exists("ghost", from: node)) }
        try scene.expectTruth("c", "d", "c/f", "d/f", "c/ghost")
    }

    @Test func mkdirOverAWhiteout() throws {
        let scene = try scene("mkdir lower1/w; touch lower1/w/ghost; mknod upper/w c 0 0")
        let kernel = scene.kernel
        #expect(!kernel.exists("w"))
        try scene.beforeEvents {
            try kernel.mkdir("w")
            #expect(!kernel.exists("w/ghost"))
        }
        scene.settle()
        #expect(!kernel.exists("w/ghost"))
        try scene.expectTruth("w", "w/ghost")
    }

    /// Where everybody sees it in the midst as well: threads look for it while it is renamed over and over.
    @Test func inTheMidst() throws {
        let scene = try scene("mkdir lower1/w; touch lower1/w/ghost; mknod upper/w c 0 0")
        let (union, kernel) = (scene.fixture.union, scene.kernel)
        let held = try kernel.hold("d")
        let seen = Monitor((ghosts: 0, isOver: false))
        let looker = try WorkerThread.spawn(name: "looker") {
            while !seen.withLock({ $0.isOver }) {
                guard let found = try? union.lookup(held, "ghost", root) else { continue }
                let node = found.entry.node
                found.finish()
                guard node.rawValue != 0 else { continue }
                union.forget(node, count: 1)
                seen.withLock { $0.ghosts += 1 }
            }
        }
        for _ in 0..<100 {
            try kernel.rename("d", "w")
            try kernel.rename("w", "d")
            scene.underneath("setfattr -x user.overlay.opaque upper/d 2>/dev/null || true")
        }
        seen.withLock { $0.isOver = true }
        looker.join()
        #expect(seen.withLock { $0.ghosts } == 0)
    }
}

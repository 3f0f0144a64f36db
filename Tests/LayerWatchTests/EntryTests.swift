import LayerWatch
import LinuxSystem
import SystemPackage
import Testing

@Suite("Watched directories: entries")
struct EntryTests {
    @Test(arguments: Place.allCases) func cameAndWent(in place: Place) throws {
        let scene = try Scene(in: place)
        let root = scene.root
        #expect(try scene.watch("", as: 5))
        let made = try scene.changes { () throws(Errno) in
            try root.write("x", to: "file")
            try root.makeDirectory("directory")
            try root.makeSymlink(at: "symlink", target: "file")
            try root.makeNode(at: "fifo", mode: FileKind.fifo.modeBits | 0o600)
            try root.link("file", as: "link")
        }
        #expect(made == ["file", "directory", "symlink", "fifo", "link"].map { "5/0 entry \($0)" })
        let removed = try scene.changes { () throws(Errno) in
            try root.unlink(at: "file")
            try root.removeDirectory(at: "directory")
            try root.unlink(at: "symlink")
        }
        #expect(removed == ["file", "directory", "symlink"].map { "5/0 entry \($0)" })
    }

    @Test func aTemporaryFileThatGetsAName() throws {
        let scene = try Scene()
        try scene.watch("", as: 5)
        let changes = try scene.changes { () throws(Errno) in
            let file = try scene.root.openPlain(".", flags: [.temporaryFile, .readWrite], mode: 0o600)
            try file.descriptor.link(to: scene.root, name: "named")
        }
        #expect(changes == ["5/0 entry named"])
    }

    @Test(arguments: Place.allCases) func renamed(in place: Place) throws {
        let scene = try Scene(in: place)
        let root = scene.root
        for name in ["a", "b", "c"] as [PathRef] { try root.write("", to: name) }
        try scene.watch("", as: 5)
        let changes = try scene.changes { () throws(Errno) in
            try root.rename("a", to: "new")
            try root.rename("new", to: "b")
        }
        #expect(changes == ["a", "new", "b"].map { "5/0 entry \($0)" })
        let exchanged = try scene.changes { () throws(Errno) in
            try root.rename("b", to: "c", flags: .exchange)
        }
        #expect(Set(exchanged) == ["5/0 entry b", "5/0 entry c"])
    }

    @Test func renamedInAndOut() throws {
        let scene = try Scene()
        let root = scene.root
        for name in ["from", "to", "elsewhere"] as [PathRef] { try root.makeDirectory(name) }
        try root.write("", to: "from/x")
        try scene.watch("from", as: 5)
        try scene.watch("to", as: 6, layer: 1)
        #expect(
            try scene.changes { () throws(Errno) in try root.rename("from/x", to: "to/y") }
                == ["5/0 entry x", "6/1 entry y"])
        #expect(
            try scene.changes { () throws(Errno) in try root.rename("to/y", to: "elsewhere/z") }
                == ["6/1 entry y"])
        #expect(
            try scene.changes { () throws(Errno) in try root.rename("elsewhere/z", to: "from/z") }
                == ["5/0 entry z"])
    }

    /// A directory that moves keeps its watch.
    @Test func withinAMovedDirectory() throws {
        let scene = try Scene()
        let root = scene.root
        try root.makeDirectory("old")
        try scene.watch("old", as: 5)
        let moved = try scene.changes { () throws(Errno) in try root.rename("old", to: "new") }
        #expect(moved == ["5/0 gone"])
        let made = try scene.changes { () throws(Errno) in try root.write("", to: "new/x") }
        #expect(made == ["5/0 entry x"])
    }

    /// What the entries are like is told by their own watches alone.
    /// A directory's attributes its own watch tells, and what is written to files that of the files.
    @Test func attributesAndContentOfEntries() throws {
        let scene = try Scene()
        let root = scene.root
        try root.write("", to: "file")
        try root.makeDirectory("directory")
        try scene.watch("", as: 5)
        let changes = try scene.changes { () throws(Errno) in
            try root.changeMode(of: "file", to: 0o600)
            try root.changeMode(of: "directory", to: 0o700)
            try root.write("content", to: "file")
            try root.write("", to: "directory/x")
        }
        #expect(changes == ["5/0 fileAttributes file"])
        try scene.watch("file", as: 6)
        let own = try scene.changes { () throws(Errno) in try root.changeMode(of: "file", to: 0o644) }
        #expect(own == ["5/0 fileAttributes file", "6/0 object"])
    }

    @Test func namesAreBytes() throws {
        let scene = try Scene(started: false)
        let sink = NameSink()
        try scene.watch("", as: 5)
        let long = OwnedName([UInt8](repeating: 0xff, count: 255))
        let short = OwnedName([0x0a])
        try scene.root.makeDirectory(long.ref)
        try scene.root.makeDirectory(short.ref)
        try scene.watcher.start(sink)
        scene.watcher.drain()
        #expect(sink.names == [[UInt8](repeating: 0xff, count: 255), [0x0a]])
    }

    /// Events that are taken in together and say the same are told once; of directories, as often as they come.
    @Test func repetitionsAreToldOnce() throws {
        let scene = try Scene(started: false)
        let root = scene.root
        try scene.watch("", as: 5)
        try root.write("", to: "a")
        try root.unlink(at: "a")
        try root.write("", to: "a")
        try root.write("", to: "b")
        try root.unlink(at: "a")
        for _ in 0..<2 {
            try root.makeDirectory("d")
            try root.removeDirectory(at: "d")
        }
        #expect(scene.watcher.eventCount == 0)
        try scene.start()
        scene.watcher.drain()
        #expect(scene.recorder.take() == ["a", "b", "d", "d", "d", "d"].map { "5/0 entry \($0)" })
        #expect(scene.watcher.eventCount == 6)
        try root.write("", to: "a")
        #expect(scene.changes() == ["5/0 entry a"])
    }
}

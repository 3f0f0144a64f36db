import CTestCalls
import LayerWatch
import LinuxSystem
import SwitchTestKit
import SystemPackage
import Testing
import UnionCore

@Suite("Watched objects: attributes, content, end")
struct ObjectTests {
    private typealias Change = @Sendable (FileDescriptor) throws(Errno) -> Void

    private static let changes: [(String, Change)] = [
        ("mode", { (root) throws(Errno) in try root.changeMode(of: "x", to: 0o600) }),
        (
            "owner",
            { (root) throws(Errno) in
                let object = try root.openBeneath("x", flags: .path)
                try object.descriptor.changeOwner(uid: ServerIdentity.uid, gid: nil)
            }
        ),
        (
            "times",
            { (root) throws(Errno) in
                let object = try root.openBeneath("x", flags: .path)
                let time = Timestamp(seconds: 1, nanoseconds: 2)
                try object.descriptor.changeTimes(access: .set(time), modification: .set(time))
            }
        ),
        (
            "xattr",
            { (root) throws(Errno) in
                let value = OwnedName("value")
                try unsafe root.setXattr(at: "x", "user.test", value: value.ref.bytes)
            }
        ),
    ]

    @Test(arguments: Place.allCases) func attributes(in place: Place) throws {
        let scene = try Scene(in: place)
        try scene.root.write("", to: "x")
        try scene.watch("x", as: 5)
        for (what, change) in ObjectTests.changes {
            let seen = try orSkip([.notSupported], "no user xattrs here") { () throws(Errno) in
                try scene.changes { () throws(Errno) in try change(scene.root) }
            }
            #expect(seen == ["5/0 object"], "\(what)")
        }
    }

    @Test(arguments: Place.allCases) func attributesOfADirectory(in place: Place) throws {
        let scene = try Scene(in: place)
        try scene.root.makeDirectory("x")
        try scene.watch("x", as: 5)
        for (what, change) in ObjectTests.changes {
            let seen = try orSkip([.notSupported], "no user xattrs here") { () throws(Errno) in
                try scene.changes { () throws(Errno) in try change(scene.root) }
            }
            #expect(seen == ["5/0 object"], "\(what)")
        }
    }

    /// The kernel calls a time of modification that is set alone a modification, and one of access an access.
    @Test func timesSetAlone() throws {
        let scene = try Scene()
        let time = TimeChange.set(Timestamp(seconds: 1, nanoseconds: 2))
        try scene.root.write("", to: "file")
        try scene.watch("", as: 5)
        try scene.watch("file", as: 6)
        let file = try scene.root.openBeneath("file", flags: .path)
        #expect(
            try scene.changes { () throws(Errno) in
                try file.descriptor.changeTimes(access: .omit, modification: time)
            } == ["6/0 object"])
        #expect(
            try scene.changes { () throws(Errno) in
                try file.descriptor.changeTimes(access: time, modification: .omit)
                try scene.root.changeTimes(access: .omit, modification: time)
            } == [], "a known gap")
    }

    @Test(arguments: Place.allCases) func content(in place: Place) throws {
        let scene = try Scene(in: place)
        try scene.root.write("", to: "x")
        try scene.watch("x", as: 5)
        let file = try scene.root.openBeneath("x", flags: .readWrite)
        let text = OwnedName("text")
        #expect(
            try scene.changes { () throws(Errno) in
                _ = try unsafe file.descriptor.write(from: text.ref.bytes, at: 0)
            } == ["5/0 object"])
        #expect(
            try scene.changes { () throws(Errno) in try file.descriptor.truncate(to: 1) }
                == ["5/0 object"])
        #expect(
            try scene.changes { () throws(Errno) in
                try file.descriptor.allocate(mode: 0, offset: 0, length: 100)
            } == ["5/0 object"])
    }

    /// A write through a mapping says nothing, but the end of the mapping and its file does.
    @Test func mappedContent() throws {
        let scene = try Scene()
        try scene.root.write("text", to: "x")
        try scene.watch("x", as: 5)
        let descriptor = try scene.root.openBeneath("x", flags: .readWrite).release()
        var address: UnsafeMutableRawPointer?
        #expect(unsafe tc_map(descriptor.rawValue, 0, 4096, 1, &address) == 0)
        #expect(tc_close(descriptor.rawValue) == 0)
        #expect(scene.changes() == [])
        unsafe address?.storeBytes(of: 0x41, as: UInt8.self)
        #expect(scene.changes() == [])
        #expect(unsafe tc_unmap(address, 4096) == 0)
        #expect(scene.changes() == ["5/0 object"])
    }

    @Test func otherKinds() throws {
        let scene = try Scene()
        let root = scene.root
        try root.makeSymlink(at: "symlink", target: "nowhere")
        try root.makeNode(at: "fifo", mode: FileKind.fifo.modeBits | 0o600)
        #expect(try scene.watch("symlink", as: 5))
        #expect(try scene.watch("fifo", as: 6))
        #expect(
            try scene.changes { () throws(Errno) in try root.changeMode(of: "fifo", to: 0o644) }
                == ["6/0 object"])
        #expect(
            try scene.changes { () throws(Errno) in try root.link("symlink", as: "link") }
                == ["5/0 object"])
    }

    @Test(arguments: Place.allCases) func hardLinks(in place: Place) throws {
        let scene = try Scene(in: place)
        let root = scene.root
        try root.makeDirectory("elsewhere")
        try root.write("", to: "x")
        try scene.watch("x", as: 5)
        #expect(
            try scene.changes { () throws(Errno) in try root.link("x", as: "elsewhere/y") }
                == ["5/0 object"])
        #expect(
            try scene.changes { () throws(Errno) in try root.write("text", to: "elsewhere/y") }
                == ["5/0 object"])
        #expect(try scene.changes { () throws(Errno) in try root.unlink(at: "x") } == ["5/0 object"])
        #expect(scene.watcher.watchCount == 1)
        let last = try scene.changes { () throws(Errno) in try root.unlink(at: "elsewhere/y") }
        #expect(last == ["5/0 object", "5/0 gone"])
        #expect(scene.watcher.watchCount == 0)
    }

    /// A writer by a name that is gone changes what the other names show.
    @Test func writtenByARemovedName() throws {
        let scene = try Scene()
        try scene.root.write("", to: "x")
        try scene.root.link("x", as: "y")
        try scene.watch("y", as: 5)
        let file = try scene.root.openBeneath("x", flags: .writeOnly)
        try scene.root.unlink(at: "x")
        let text = OwnedName("text")
        #expect(
            try scene.changes { () throws(Errno) in
                _ = try unsafe file.descriptor.write(from: text.ref.bytes, at: 0)
            } == ["5/0 object"])
    }

    @Test func aFileMoves() throws {
        let scene = try Scene()
        try scene.root.write("", to: "x")
        try scene.watch("x", as: 5)
        let moved = try scene.changes { () throws(Errno) in try scene.root.rename("x", to: "y") }
        #expect(moved == ["5/0 gone"])
        let changed = try scene.changes { () throws(Errno) in
            try scene.root.changeMode(of: "y", to: 0o600)
        }
        #expect(changed == ["5/0 object"])
    }

    /// As long as someone has it open it isn't gone, and its attributes still change.
    @Test func removedWhileOpen() throws {
        let scene = try Scene()
        try scene.root.write("", to: "x")
        try scene.watch("x", as: 5)
        do {
            let file = try scene.root.openBeneath("x", flags: .readOnly)
            try scene.root.unlink(at: "x")
            #expect(scene.changes() == ["5/0 object"])
            try file.descriptor.changeMode(0o600)
            #expect(scene.changes() == ["5/0 object"])
        }
        #expect(scene.changes() == ["5/0 gone"])
        #expect(scene.watcher.watchCount == 0)
    }

    @Test(arguments: Place.allCases) func aRemovedDirectory(in place: Place) throws {
        let scene = try Scene(in: place)
        let root = scene.root
        try root.makeDirectory("x")
        try root.write("", to: "x/y")
        try scene.watch("", as: 5)
        try scene.watch("x", as: 6)
        try root.unlink(at: "x/y")
        try root.removeDirectory(at: "x")
        let changes = scene.changes()
        #expect(changes.first == "6/0 entry y")
        #expect(Set(changes.dropFirst()) == ["6/0 gone", "5/0 entry x"])
        #expect(scene.watcher.watchCount == 1)
        scene.unwatch(6)
        try root.makeDirectory("x")
        try root.write("", to: "x/y")
        #expect(scene.changes() == ["5/0 entry x"])
    }

    @Test(.enabled(if: isRoot, "mounting needs root")) func unmounted() throws {
        let scene = try Scene()
        try scene.root.makeDirectory("mount")
        let target = OwnedName(scene.path + "/mount")
        try orSkip([.notPermitted], "may not mount here") { () throws(Errno) in
            try Mounting.mount(
                source: "tmpfs", target: target.ref, type: "tmpfs", flags: [], options: "size=64k")
        }
        defer { try? Mounting.unmount(target.ref, flags: .detach) }
        do {
            let mounted = try scene.root.openPlain("mount", flags: .path)
            try mounted.descriptor.write("", to: "x")
            let file = try mounted.descriptor.openBeneath("x", flags: .path)
            let (directory, node) = (NodeID(rawValue: 5), NodeID(rawValue: 6))
            #expect(scene.watcher.watch(mounted.descriptor, for: directory, layer: 0, as: .directory))
            #expect(scene.watcher.watch(file.descriptor, for: node, layer: 0, as: .file))
        }
        #expect(scene.watcher.watchCount == 2)
        #expect(try Sys.unmountOnceFree(TestPath(scene.path + "/mount")))
        #expect(Set(scene.changes()) == ["5/0 gone", "6/0 gone"])
        #expect(scene.watcher.watchCount == 0)
    }
}

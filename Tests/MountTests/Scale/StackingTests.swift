import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Layers that are unions themselves, and several file systems.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct StackingTests {
    static let tree: Tree = ["f": "content", "d": ["g": "x", "s": .symlink("g")]]

    /// Everything that a lower must be able to do, whatever it is.
    func exercise(_ union: Union, lower: TestPath, maps: Bool = true) throws {
        #expect(try Sys.text(union["d/g"]) == "x")
        try Sys.overwrite(union["f"], "CONTENT")
        #expect(try Sys.text(lower / "f") == "CONTENT")
        if maps {
            try writeThroughAMapping(union["f"], UInt8(ascii: "k"))
            #expect(try Sys.text(lower / "f") == "kONTENT")
        } else {
            // Too deep for passthrough, and others may write.
            let error = failure { try writeThroughAMapping(union["f"], UInt8(ascii: "k")) }
            #expect(error == .operationNotSupportedByDevice)
        }
        try Sys.put(union["d/new"], "n")
        #expect(!Sys.exists(lower / "d/new"))
        #expect(try Sys.names(union["d"]) == ["g", "new", "s"])
        try Sys.rename(union["d/g"], union["d/h"])
        #expect(try Sys.text(lower / "d/h") == "x")
        try Sys.changeMode(union["d/h"], 0o600)
        #expect(try Sys.facts(lower / "d/h").permissions == 0o600)
        try Sys.unlink(union["d/h"])
        #expect(try Sys.names(lower / "d") == ["s"])
        try Sys.changeMode(union["d"], 0o711)
        let before = try Snapshot(union.mount, inodes: true)
        try union.restart()
        #expect(try Snapshot(union.mount, inodes: true).differences(from: before) == [])
    }

    /// Its mapping and handle are gone when it returns.
    func writeThroughAMapping(_ path: TestPath, _ byte: UInt8) throws {
        let map = try Mapping(Sys.open(path, O_RDWR), length: 7, writable: true)
        map[0] = byte
        try map.synchronize()
    }

    @Test(.enabled(if: Machine.hasOverlay, "needs overlayfs"))
    func lowerIsAnOverlay() throws {
        try withScratch { scratch throws in
            let lower = try scratch.overlay("overlay", lower: Self.tree)
            let upper = try scratch.directory("up")
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { try exercise($0, lower: lower) }
        }
    }

    @Test func lowerIsAnotherUnion() throws {
        try withScratch { scratch throws in
            let bottom = try scratch.tree("bottom", Self.tree)
            try withUnion(in: scratch, name: "inner", upper: nil, lowers: [bottom]) { inner throws in
                let upper = try scratch.directory("up")
                try withUnion(in: scratch, name: "outer", upper: upper, lowers: [inner.mount]) {
                    try exercise($0, lower: inner.mount, maps: false)
                }
            }
        }
    }

    @Test func threeUnionsDeep() throws {
        try withScratch { scratch throws in
            let bottom = try scratch.tree("bottom", Self.tree)
            try withUnion(in: scratch, name: "one", upper: nil, lowers: [bottom]) { one throws in
                try withUnion(in: scratch, name: "two", upper: nil, lowers: [one.mount]) { two throws in
                    let upper = try scratch.directory("up")
                    try withUnion(in: scratch, name: "three", upper: upper, lowers: [two.mount]) {
                        try exercise($0, lower: two.mount, maps: false)
                    }
                }
            }
        }
    }

    @Test(.enabled(if: Machine.hasOverlay, "needs overlayfs"))
    func overlayOnTop() throws {
        try withUnion(lower: Self.tree) { union throws in
            try withScratch { scratch throws in
                let (upper, work) = (try scratch.directory("up"), try scratch.directory("work"))
                let top = try scratch.mount(
                    "overlay", "top", type: "overlay",
                    options: "lowerdir=\(union.mount),upperdir=\(upper),workdir=\(work)")
                #expect(try Sys.text(top / "f") == "content")
                try Sys.overwrite(top / "f", "CONTENT")
                #expect(try Sys.text(union["f"]) == "content")
            }
        }
    }

    @Test(.enabled(if: Machine.hasLoopDevices, "needs loop devices and mkfs.ext4"))
    func lowerIsExt4UpperTmpfs() throws {
        try withScratch { scratch throws in
            let lower = try scratch.ext4("disk")
            try Self.tree.build(at: lower)
            _ = try scratch.tmpfs("memory")
            let upper = try scratch.directory("memory/up")
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { try exercise($0, lower: lower) }
        }
    }

    @Test func bindMountOfASubtree() throws {
        try withScratch { scratch throws in
            let whole = try scratch.tree("whole", ["part": ["f": "x"]])
            let lower = try scratch.bind(whole / "part", "bound")
            try withUnion(in: scratch, upper: nil, lowers: [lower]) { union throws in
                #expect(try Sys.names(union.mount) == ["f"])
                #expect(try Sys.facts(union.mount / "..").inode == Sys.facts(scratch.root).inode)
            }
        }
    }
}

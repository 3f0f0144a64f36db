import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Many files, deep trees, wide directories, many layers.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct ScaleTests {
    /// 50,000 files walked and 900 open at once, by a server that may have 1,024 descriptors.
    @Test(.timeLimit(.minutes(3)))
    func fewDescriptors() throws {
        try withScratch { scratch throws in
            let lower = try scratch.tmpfs("lower")
            for folder in 0..<100 {
                try Sys.makeDirectory(lower / "d\(folder)")
                for file in 0..<500 { try Sys.touch(lower / "d\(folder)/f\(file)") }
            }
            let upper = try scratch.tree("upper", ["d1": ["extra": ""]])
            try withUnion(
                in: scratch, upper: upper, lowers: [lower],
                launcher: ["sh", "-c", "ulimit -n 1024; exec \"$@\"", "sh"]
            ) { union throws in
                let found = try run("find", union.mount.text, "-type", "f", within: 300).orThrow().output
                #expect(found.utf8.count { $0 == UInt8(ascii: "\n") } == 50_001)
                let listed = try run("ls", "-lR", union.mount.text, within: 300).orThrow()
                #expect(listed.errors == "")
                var handles: [Handle] = []
                for file in 0..<900 {
                    handles.append(try Sys.open(union["d\(file % 100)/f\(file / 100)"], O_RDWR))
                    try handles[file].write("\(file)")
                }
                #expect(try Sys.names(union["d50"]).count == 500)
                for file in 0..<900 {
                    #expect(try handles[file].read(10, at: 0) == Array("\(file)".utf8))
                }
                handles = []
                #expect(try Sys.text(union["d7/f3"]) == "307")
            }
        }
    }

    /// More files open than the server may: an error for that call, and all is well afterwards.
    @Test(.timeLimit(.minutes(1)))
    func runningOutOfDescriptors() throws {
        try withScratch { scratch throws in
            let lower = try scratch.tmpfs("lower")
            for file in 0..<400 { try Sys.put(lower / "f\(file)", "\(file)") }
            try withUnion(
                in: scratch, upper: nil, lowers: [lower], options: ["passthrough=off"],
                launcher: ["sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"]
            ) { union throws in
                #expect(
                    Self.errors(opening: (0..<400).map { union["f\($0)"] })
                        .isSubset(of: [.tooManyOpenFiles, .tooManyOpenFilesInSystem]))
                try eventually("files open again") { failure { _ = try Sys.open(union["f399"]) } == nil }
                for file in 0..<400 { #expect(try Sys.text(union["f\(file)"]) == "\(file)") }
            }
        }
    }

    /// Opens all at once and closes them again.
    static func errors(opening paths: [TestPath]) -> Set<Errno> {
        var handles: [Handle] = []
        var errors: Set<Errno> = []
        for path in paths {
            if let error = failure(of: { handles.append(try Sys.open(path)) }) { errors.insert(error) }
        }
        return errors
    }

    /// A hundred levels of 255-byte names: a path six times as long as any call takes.
    @Test(arguments: ["upper", "lower"])
    func deepAndLong(place: String) throws {
        let name = TestPath(bytes: [UInt8](repeating: UInt8(ascii: "n"), count: 255))
        try withUnion(lower: ["top": [:]], upper: ["top": [:]]) { union throws in
            let ground = place == "upper" ? union["top"] : union.inLower("top")
            try acting(as: .root, in: ground) {
                for _ in 0..<100 {
                    try Sys.makeDirectory(name)
                    try Sys.changeDirectory(name)
                }
                try Sys.put("bottom", "deep")
            }
            let seen = try acting(as: .root, in: union["top"]) {
                for _ in 0..<100 {
                    guard try Sys.names(".") == [name] else { throw FixtureError("a level lists wrongly") }
                    try Sys.changeDirectory(name)
                }
                try Sys.put("new", "made below a hundred levels")
                try Sys.rename("bottom", "moved")
                try Sys.changeMode("moved", 0o600)
                let missing = failure { _ = try Sys.facts("n" / name) }
                if missing != .noSuchFileOrDirectory {
                    throw FixtureError("missing name: \(missing?.name ?? "")")
                }
                return [try Sys.text("moved"), try Sys.text("new")]
            }
            #expect(seen == ["deep", "made below a hundred levels"])
            try union.restart()
            try run("rm", "-rf", union["top"].text).orThrow()
            #expect(try Sys.names(union.mount) == [])
        }
    }

    @Test func namesThatAreNotUTF8() throws {
        let names = [
            [0xff], [0xc3, 0x28], [0x0a], [0x5c, 0x30], [0x80, 0x81, 0x20, 0x22], [0xf0, 0x9f, 0x98],
        ]
        .map { TestPath(bytes: $0.map { UInt8($0) }) }
        try withUnion(lower: Tree(names.map { (name: "l" / $0, node: "x") })) { union throws in
            #expect(try Sys.names(union["l"]) == names.sorted())
            for name in names {
                #expect(try Sys.text(union["l"] / name) == "x")
                try Sys.put(union.mount / name, "y")
                #expect(try Sys.text(union.inUpper(name)) == "y")
                try Sys.rename(union["l"] / name, union["l"] / (name + "-moved"))
                try Sys.makeSymlink(union.mount / (name + "-link"), to: name)
                #expect(try Sys.readLink(union.mount / (name + "-link")) == name)
                try Sys.setXattr(union.mount / name, "user.x", bytes: name.bytes)
                #expect(try Sys.xattr(union.mount / name, "user.x") == name.bytes)
            }
            #expect(try Sys.names(union["l"]) == names.map { $0 + "-moved" }.sorted())
            for option in ["lowerdir", "odd"] { #expect(!option.isEmpty) }
        }
    }

    @Test func layerPathsWithOddBytes() throws {
        try withScratch { scratch throws in
            for (path, written) in [
                ("with space", "with space"), ("co:lon", "co\\:lon"), ("com,ma", "com\\,ma"),
                ("back\\slash", "back\\\\slash"), ("a=b", "a=b"),
            ] {
                let lower = try scratch.tree(TestPath(path), ["f": .file(path)])
                let mount = try scratch.directory("mnt")
                let server = try Child(
                    [Machine.binary, "-f", "-o", "lowerdir=\(scratch.root)/\(written)", mount.text])
                try eventually("\(path) mounted") { Sys.exists(mount / "f") || server.poll() != nil }
                #expect((try? Sys.text(mount / "f")) == path)
                #expect(try Sys.unmountOnceFree(mount))
                _ = try server.wait(within: 300)
                _ = lower
            }
        }
    }

    @Test(.timeLimit(.minutes(3)), arguments: [true, false])
    func wideDirectory(merged: Bool) throws {
        try withScratch { scratch throws in
            let lower = try scratch.tmpfs("lower")
            try Sys.makeDirectory(lower / "wide")
            for index in 0..<200_000 { try Sys.touch(lower / "wide/entry-\(index)") }
            let upper = try scratch.tree(
                "upper", merged ? ["wide": ["entry-5": "upper", "extra": ""]] : [:])
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                var names: [TestPath] = []
                let first = try seconds { names = try Sys.list(union["wide"]).map(\.name) }
                let again = try seconds { _ = try Sys.list(union["wide"]) }
                print("200,000 entries, \(merged ? "merged" : "pure"): \(first) s, again \(again) s")
                #expect(names.count == (merged ? 200_001 : 200_000))
                #expect(Set(names).count == names.count)
                #expect(first < 20)
                for index in stride(from: 0, to: 200_000, by: 9973) {
                    #expect(Sys.exists(union["wide/entry-\(index)"]))
                }
                #expect(!Sys.exists(union["wide/entry-200000"]))
                try Sys.unlink(union["wide/entry-77"])
                try Sys.put(union["wide/new"], "")
                let count = try Sys.list(union["wide"]).count
                #expect(count == names.count)
            }
        }
    }

    @Test(arguments: [20, 200])
    func manyLowers(count: Int) throws {
        try withScratch { scratch throws in
            let lowers = try (0..<count).map { index in
                try scratch.tree(
                    "l\(index)",
                    [
                        "own-\(index)": .file("\(index)"), "all": .file("\(index)"),
                        "d": [TestPath("in-\(index)"): ""],
                    ])
            }
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: lowers) { union throws in
                #expect(try Sys.names(union.mount).count == count + 2)
                #expect(try Sys.names(union["d"]).count == count)
                #expect(try Sys.text(union["all"]) == "0")
                #expect(try Sys.text(union["own-\(count - 1)"]) == "\(count - 1)")
                try Sys.unlink(union["all"])
                #expect(!Sys.exists(union["all"]))
                #expect(!lowers.contains { Sys.exists($0 / "all") })
                try Sys.put(union["d/new"], "n")
                #expect(Sys.exists(upper / "d/new"))
            }
        }
    }
}

import SwitchTestKit
import SystemPackage
import Testing

/// Hard links and inode numbers.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct LinkTests {
    @Test func linkGoesToTheLayerOfTheFile() throws {
        try withUnion(lower: ["d": ["l": "x"]], upper: ["u": "y"]) { union throws in
            try Sys.link(union["d/l"], union["d/l2"])
            #expect(Sys.exists(union.inLower("d/l2")) && !Sys.exists(union.inUpper("d/l2")))
            try Sys.link(union["u"], union["d/u2"])
            #expect(Sys.exists(union.inUpper("d/u2")) && !Sys.exists(union.inLower("d/u2")))
            #expect(try Sys.facts(union["d/l2"]).links == 2)
            #expect(try Sys.names(union["d"]) == ["l", "l2", "u2"])
        }
    }

    @Test func parentThatTheLayerLacksIsEXDEV() throws {
        try withUnion(lower: ["l": "x"], upper: ["u": [:]]) { union throws in
            #expect(failure { try Sys.link(union["l"], union["u/l"]) } == .improperLink)
            #expect(try Sys.facts(union["l"]).links == 1)
        }
    }

    @Test func readOnlyLayerIsEXDEV() throws {
        try withUnion(lower: ["l": "x"], attributes: ["ro"]) { union throws in
            #expect(failure { try Sys.link(union["l"], union["l2"]) } == .improperLink)
        }
    }

    @Test func existingTargetInAnyLayer() throws {
        try withUnion(lower: ["l": "x", "t": "y"], upper: ["u": "z"]) { union throws in
            #expect(failure { try Sys.link(union["u"], union["t"]) } == .fileExists)
            #expect(failure { try Sys.link(union["l"], union["u"]) } == .fileExists)
        }
    }

    @Test(arguments: [true, false])
    func allNamesAreOneInode(inLower: Bool) throws {
        let tree: Tree = ["a": "x", "d": ["b": .link("../a")]]
        try withUnion(lower: inLower ? tree : [:], upper: inLower ? [:] : tree) { union throws in
            let (a, b) = (try Sys.facts(union["a"]), try Sys.facts(union["d/b"]))
            #expect(a.inode == b.inode && a.links == 2)
            try Sys.changeMode(union["a"], 0o600)
            #expect(try Sys.facts(union["d/b"]).permissions == 0o600)
            try Sys.link(union["a"], union["c"])
            #expect(try Sys.facts(union["d/b"]).links == 3)
            try Sys.put(union["c"], "longer")
            #expect(try Sys.text(union["d/b"]) == "longer")
            #expect(try Sys.facts(union["a"]).size == 6)
            try Sys.unlink(union["a"])
            #expect(try Sys.facts(union["d/b"]).links == 2)
            #expect(try Sys.facts(union["c"]).inode == b.inode)
        }
    }

    @Test func symlinkItselfCanBeLinked() throws {
        try withUnion(upper: ["s": .symlink("nowhere")]) { union throws in
            try Sys.link(union["s"], union["t"])
            #expect(try Sys.readLink(union["t"]) == "nowhere")
            #expect(try Sys.facts(union["s"]).links == 2)
        }
    }

    static let wide: Tree = [
        "f": "1", "d": ["g": "2", "h": .link("../f"), "e": ["x": "3"]], "s": .symlink("f"), "p": .fifo(),
    ]

    /// Equal in stat and readdir, unique, the same after a remount; layers on one file system.
    @Test func numbersOnOneFileSystem() throws {
        try withUnion(lower: Self.wide, more: [["d": ["low": ""]]], upper: ["u": "", "d/e": ["y": ""]]) {
            union throws in
            try Self.checkNumbers(union)
            #expect(try Sys.facts(union["f"]).inode == Sys.facts(union.inLower("f")).inode)
            #expect(try Sys.facts(union["u"]).inode == Sys.facts(union.inUpper("u")).inode)
        }
    }

    /// The same with layers on several file systems whose own numbers collide.
    @Test func numbersOnSeveralFileSystems() throws {
        try withScratch { scratch throws in
            let lowers = try (0..<3).map { try scratch.tmpfs("t\($0)") }
            for (index, lower) in lowers.enumerated() {
                try Tree([(name: "only-\(index)", node: ""), (name: "d/sub-\(index)", node: "")]).build(
                    at: lower)
                try Self.wide.build(at: lower)
            }
            let upper = try scratch.tree("upper", ["u": "", "d": ["v": ""]])
            try withUnion(in: scratch, upper: upper, lowers: lowers) { union throws in
                try Self.checkNumbers(union)
            }
        }
    }

    static func checkNumbers(_ union: Union) throws {
        let device = try Sys.facts(union.mount).device
        var names: [UInt64: [TestPath]] = [:]
        func walk(_ directory: TestPath) throws {
            for entry in try Sys.list(directory) {
                let facts = try Sys.facts(directory / entry.name)
                #expect(facts.inode == entry.inode, "\(directory)/\(entry.name)")
                #expect(facts.device == device)
                names[facts.inode, default: []].append(directory / entry.name)
                if facts.kind == .directory { try walk(directory / entry.name) }
            }
        }
        try walk(union.mount)
        for (_, same) in names where same.count > 1 {
            #expect(Set(same.map(\.name)) == ["f", "h"], "\(same)")
        }
        let before = try Snapshot(union.mount, inodes: true)
        try union.restart()
        #expect(try Snapshot(union.mount, inodes: true).differences(from: before) == [])
    }

    @Test func numbersSurviveRename() throws {
        try withUnion(lower: ["d": ["f": "x"], "e": [:]]) { union throws in
            let inode = try Sys.facts(union["d/f"]).inode
            try Sys.rename(union["d/f"], union["e/g"])
            #expect(try Sys.facts(union["e/g"]).inode == inode)
        }
    }
}

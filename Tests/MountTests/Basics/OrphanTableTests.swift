import SwitchTestKit
import SystemPackage
import Testing

/// The table of chapter 4, line by line, on real mounts of each kind and across remounts. Where a layer is watched a
/// change shows after `sync`; where it is checked, at once.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct OrphanTableTests {
    enum Kind: String, CaseIterable, Sendable {
        case ext4, tmpfs, cgroup2, cgroup1, bpfOverCgroup2

        var hierarchy: TestPath? {
            switch self {
            case .ext4, .tmpfs: nil
            case .cgroup1: Machine.cgroup1
            case .cgroup2, .bpfOverCgroup2: Machine.cgroup2
            }
        }

        /// Directories of cgroups can't be renamed.
        var renames: Bool { self == .ext4 || self == .tmpfs }

        var isAvailable: Bool {
            switch self {
            case .ext4: Machine.hasLoopDevices
            case .tmpfs: true
            case .bpfOverCgroup2: hierarchy != nil && Machine.hasBPF
            default: hierarchy != nil
            }
        }
    }

    static let kinds = Kind.allCases.filter { kind in
        if !kind.isAvailable { print("orphans on \(kind) are skipped: this machine can't") }
        return kind.isAvailable
    }
    static let renaming = kinds.filter(\.renames)

    /// A union over a lower with `A/B`, which is looked at so that the kernel keeps what it may.
    struct Scene {
        let union: Union
        let lower: TestPath
        private let isChecked: Bool

        init(_ union: Union, isChecked: Bool) {
            self.union = union
            lower = union.lowers[0]
            self.isChecked = isChecked
        }

        /// Changes the lower; afterwards it shows.
        func below(_ change: (TestPath) throws -> Void) throws {
            try change(lower)
            if !isChecked { try union.synchronize() }
        }

        /// What every filesystem takes, bpffs too.
        func note(_ name: TestPath) throws { try Sys.makeDirectory(union[name]) }

        /// What shows, the control files of cgroups left out.
        func names(_ name: TestPath = "") throws -> [TestPath] {
            try Sys.list(union[name]).filter { $0.kind == .directory }.map(\.name).sorted()
        }

        func isThere(_ name: TestPath) -> Bool { Sys.exists(union[name]) }

        /// The same before and after a remount.
        func twice(_ body: () throws -> Void) throws {
            try body()
            try union.restart()
            try body()
        }
    }

    private func withScene(
        _ kind: Kind, orphans: String, _ body: (Scene) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            guard let hierarchy = kind.hierarchy else {
                let ground = try kind == .ext4 ? scratch.ext4("ground") : scratch.tmpfs("ground")
                return try run(scratch, ground / "upper", ground / "lower", kind, orphans, body)
            }
            try withCgroup(in: hierarchy, "orphans-\(kind)") { group throws in
                let upper =
                    try kind == .bpfOverCgroup2 ? scratch.bpf("upper") : scratch.directory("upper")
                try run(scratch, upper, group.path, kind, orphans, body)
            }
        }
    }

    private func run(
        _ scratch: Scratch, _ upper: TestPath, _ lower: TestPath, _ kind: Kind, _ orphans: String,
        _ body: (Scene) throws -> Void
    ) throws {
        try Sys.makeDirectories(upper)
        try Sys.makeDirectories(lower / "A/B")
        try withUnion(in: scratch, upper: upper, lowers: [lower], options: ["orphans=\(orphans)"]) {
            union throws in
            let scene = Scene(union, isChecked: kind == .bpfOverCgroup2)
            #expect(try scene.names() == ["A"] && scene.names("A") == ["B"])
            try body(scene)
        }
    }

    /// An entry appears and disappears, with and without a skeleton.
    @Test(arguments: kinds)
    func exactlyThat(kind: Kind) throws {
        try withScene(kind, orphans: "keep") { scene throws in
            for skeleton in [false, true] {
                if skeleton { try scene.note("A/note") }
                #expect(!scene.isThere("A/C"))
                try scene.below { try Sys.makeDirectory($0 / "A/C") }
                #expect(try scene.isThere("A/C") && scene.names("A").contains("C"))
                try scene.below { try Sys.removeDirectory($0 / "A/C") }
                #expect(try !scene.isThere("A/C") && !scene.names("A").contains("C"))
                try scene.below { try Sys.changeMode($0 / "A", skeleton ? 0o711 : 0o751) }
                #expect(try Sys.facts(scene.union["A"]).permissions == (skeleton ? 0o711 : 0o751))
            }
        }
    }

    @Test(arguments: kinds, ["keep", "hide"])
    func withoutASkeletonItIsGone(kind: Kind, orphans: String) throws {
        try withScene(kind, orphans: orphans) { scene throws in
            try scene.below { try Sys.removeDirectory($0 / "A/B") }
            try scene.twice { () throws in
                #expect(!scene.isThere("A/B"))
                #expect(try scene.names("A") == [])
            }
            try scene.below { try Sys.makeDirectory($0 / "A/B") }
            #expect(try scene.isThere("A/B") && scene.names("A") == ["B"])
        }
    }

    @Test(arguments: kinds)
    func keptWithItsEntriesAndMergedAgain(kind: Kind) throws {
        try withScene(kind, orphans: "keep") { scene throws in
            try scene.below { try Sys.changeMode($0 / "A/B", 0o750) }
            let origin = try Sys.facts(scene.union["A/B"])
            try scene.note("A/B/note")
            #expect(try Sys.facts(scene.union["A/B"]).inode == origin.inode)
            try scene.below { try Sys.removeDirectory($0 / "A/B") }
            try scene.twice { () throws in
                let now = try Sys.facts(scene.union["A/B"])
                #expect(now.permissions == 0o750 && now.inode != origin.inode)
                #expect(try scene.names("A") == ["B"] && Sys.names(scene.union["A/B"]) == ["note"])
                #expect(try Sys.list(scene.union["A"]).first { $0.name == "B" }?.inode == now.inode)
            }
            try scene.below { try Sys.makeDirectory($0 / "A/B") }
            try scene.below { try Sys.makeDirectory($0 / "A/B/again") }
            try scene.twice { () throws in #expect(try scene.names("A/B") == ["again", "note"]) }
            // Without entries it isn't shown.
            try scene.below {
                try Sys.removeDirectory($0 / "A/B/again")
                try Sys.removeDirectory($0 / "A/B")
            }
            #expect(scene.isThere("A/B"))
            try Sys.removeDirectory(scene.union["A/B/note"])
            try scene.twice { () throws in #expect(try !scene.isThere("A/B") && scene.names("A") == []) }
        }
    }

    @Test(arguments: kinds)
    func hiddenWithEverythingInIt(kind: Kind) throws {
        try withScene(kind, orphans: "hide") { scene throws in
            try scene.note("A/B/note")
            try scene.twice { () throws in #expect(try scene.names("A/B") == ["note"]) }
            try scene.below { try Sys.removeDirectory($0 / "A/B") }
            try scene.twice { () throws in
                #expect(!scene.isThere("A/B") && !scene.isThere("A/B/note"))
                #expect(try scene.names("A") == [])
                #expect(Sys.exists(scene.union.inUpper("A/B/note")), "the upper's content stays")
            }
            // Another directory of the name starts empty.
            try scene.below { try Sys.makeDirectory($0 / "A/B") }
            try scene.twice { () throws in
                #expect(try scene.names("A") == ["B"] && scene.names("A/B") == [])
                #expect(!scene.isThere("A/B/note"))
            }
            try scene.note("A/B/new")
            try scene.twice { () throws in #expect(try scene.names("A/B") == ["new"]) }
            let found = try scene.union.command("orphans", scene.union.mount.text).orThrow().output
            #expect(found.contains("\t/A/B\t") && found.split(separator: "\n").count == 1)
            let id = found.prefix { $0 != "\t" }
            try scene.union.command("orphans", scene.union.mount.text, "--restore", String(id)).orThrow()
            try scene.twice { () throws in #expect(try scene.names("A/B") == ["new", "note"]) }
        }
    }

    @Test(arguments: renaming, ["keep", "hide"])
    func aRenamedOrigin(kind: Kind, orphans: String) throws {
        try withScene(kind, orphans: orphans) { scene throws in
            try scene.note("A/B/note")
            let inode = try Sys.facts(scene.union["A/B"]).inode
            #expect(!scene.isThere("A/moved"))
            try scene.below { try Sys.rename($0 / "A/B", $0 / "A/moved") }
            try scene.twice { () throws in
                #expect(try scene.names("A/moved") == [])
                #expect(try Sys.facts(scene.union["A/moved"]).inode == inode)
                #expect(try scene.names("A") == (orphans == "keep" ? ["B", "moved"] : ["moved"]))
                if orphans == "keep" { #expect(try scene.names("A/B") == ["note"]) }
            }
            // The same directory again has its entries.
            try scene.below { try Sys.rename($0 / "A/moved", $0 / "A/B") }
            try scene.twice { () throws in
                #expect(try scene.names("A") == ["B"] && scene.names("A/B") == ["note"])
                #expect(try Sys.facts(scene.union["A/B"]).inode == inode)
            }
        }
    }
}

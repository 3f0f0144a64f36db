import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Overlayfs's redirects and metacopies in a layer that is read-only: what overlayfs shows, the union shows. Rule 2.10 of
/// the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct RedirectTests {
    enum Ground: String, CaseIterable { case tmpfs, ext4 }

    static let options = [[], ["coherence=watch"], ["coherence=check"], ["orphans=hide"]]

    /// The overlay's upper as a lower above the overlay's own.
    private func with(
        _ ground: Ground = .tmpfs, options: [String] = [], hasUpper: Bool = true,
        lower: Tree = OverlayGround.tree, change: (TestPath) throws -> Void = OverlayGround.rearrange,
        _ body: (Union, OverlayGround) throws -> Void
    ) throws {
        try withScratch { scratch in
            let place: TestPath
            switch ground {
            case .tmpfs: place = try scratch.tmpfs("ground")
            case .ext4:
                guard let disk = try? scratch.ext4("ground") else {
                    return print("skipped: no ext4 on a loop device")
                }
                place = disk
            }
            guard let made = try OverlayGround(in: scratch, on: place, lower: lower, change) else { return }
            var upper: TestPath?
            if hasUpper {
                upper = place / "top"
                try Sys.makeDirectory(place / "top")
            }
            try withUnion(
                in: scratch, upper: upper, lowers: [made.upper, made.lower], attributes: ["ro", "ro"],
                options: options
            ) { union throws in try body(union, made) }
        }
    }

    @Test(arguments: Ground.allCases, options)
    func whatOverlayfsShowsIsShown(ground: Ground, options: [String]) throws {
        try with(ground, options: options) { union, made throws in
            for _ in 0..<2 {
                #expect(try Snapshot(union.mount).differences(from: made.shown) == [])
                let wrong = try made.blocks.filter { try Sys.facts(union[$0]).blocks != $1 }
                #expect(wrong.isEmpty, "\(wrong)")
                try union.dropKernelCaches()
            }
            // Numbers are the same when it is mounted again.
            let before = try Snapshot(union.mount, inodes: true)
            try union.restart()
            #expect(try Snapshot(union.mount, inodes: true).differences(from: before) == [])
        }
    }

    @Test func withoutAnUpperItIsTheSame() throws {
        try with(hasUpper: false) { union, made throws in
            #expect(try Snapshot(union.mount).differences(from: made.shown) == [])
        }
    }

    @Test(arguments: options) func whatIsRedirectedIsWorkedWith(options: [String]) throws {
        try with(options: options) { union, made throws in
            try Sys.put(union["renamed/sub/new"], "new")
            #expect(try Sys.names(union["renamed/sub"]).sorted() == ["added", "deep", "new"])
            #expect(try Sys.text(union.inUpper("renamed/sub/new")) == "new")
            try Sys.put(union["z/new"], "new")
            #expect(try Sys.names(union["z"]).sorted() == ["new", "zz"])
            try Sys.unlink(union["z/zz"])
            #expect(try Sys.names(union["z"]) == ["new"])
            #expect(failure { try Sys.removeDirectory(union["new/moved/q2"]) } == .directoryNotEmpty)
            try Sys.unlink(union["new/moved/q2/q"])
            try Sys.removeDirectory(union["new/moved/q2"])
            #expect(try Sys.names(union["new/moved"]) == [])
            try run(["rm", "-r", union["x2"].text]).orThrow()
            #expect(!Sys.exists(union["x2"]))
            #expect(failure { try Sys.rename(union["renamed"], union["again"]) } == Errno(rawValue: EXDEV))
            #expect(failure { try Sys.put(union["new/big"], "x") } == .readOnlyFileSystem)
            try union.restart()
            #expect(try Sys.names(union["renamed/sub"]).sorted() == ["added", "deep", "new"])
            #expect(try Sys.names(union["z"]) == ["new"])
            #expect(!Sys.exists(union["x2"]))
            // Nothing of it is an orphan.
            #expect(try union.command("orphans", union.mount.text).orThrow().output == "")
            // The layers are as they were.
            #expect(try Sys.text(made.lower / "x/y/z/zz") == "zz")
            #expect(try Sys.text(made.lower / "p/q/q") == "q")
        }
    }

    /// A copy is a whole object, and nothing on it says otherwise.
    @Test func copiesAreWhole() throws {
        try with { union, made throws in
            try run(["mv", union["new/big"].text, union["big"].text]).orThrow()
            try run(["cp", "-a", union["renamed"].text, union["copy"].text]).orThrow()
            let big = try Sys.contents(made.lower / "big")
            try union.restart()
            #expect(try Sys.contents(union["big"]) == big)
            let original = try Snapshot(union["renamed"])
            #expect(try Snapshot(union["copy"]).differences(from: original) == [])
            for path in ["big", "copy", "copy/one"] as [TestPath] {
                let marks = try Sys.xattrs(union.inUpper(path)).filter { $0.contains(".overlay.") }
                #expect(marks == [], "\(path)")
            }
        }
    }

    /// By its own mode, whatever that of the file with the data is.
    @Test func aMetacopyIsOpenedByItsOwnMode() throws {
        try with { union, _ throws in
            #expect(try run("cat", union["other/small2"].text, as: .nobody).output == "s")
            #expect(try run("cat", union["file"].text, as: .nobody).output == "")
        }
    }

    @Test func anOpenMetacopyStaysWhole() throws {
        try with { union, made throws in
            let handle = try Sys.open(union["new/big"])
            let before = try handle.facts()
            try Sys.unlink(union["new/big"])
            #expect(try handle.readAll() == Sys.contents(made.lower / "big"))
            let after = try handle.facts()
            #expect(after.permissions == 0o755 && after.size == before.size)
            #expect(after.inode == before.inode && after.blocks == before.blocks)
        }
    }

    @Test(arguments: [["coherence=watch"], ["coherence=check"]])
    func changesUnderneathShow(options: [String]) throws {
        try with(options: options) { union, made throws in
            _ = try Snapshot(union.mount)
            try Sys.put(made.lower / "x/y/z/came", "came")
            try Sys.put(made.lower / "dir/sub/came", "came")
            try union.synchronize()
            #expect(try Sys.names(union["z"]).sorted() == ["came", "zz"])
            #expect(try Sys.text(union["renamed/sub/came"]) == "came")
            // What is on the way to it goes: it leads nowhere.
            try Sys.rename(made.lower / "x", made.lower / "elsewhere")
            try union.synchronize()
            #expect(failure { _ = try Sys.facts(union["z"]) } == .notPermitted)
            try Sys.rename(made.lower / "elsewhere", made.lower / "x")
            try union.synchronize()
            #expect(try Sys.text(union["z/zz"]) == "zz")
        }
    }
}

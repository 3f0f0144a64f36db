import SwitchTestKit
import SystemPackage

/// Layers that overlayfs itself has written: an upper with redirects and metacopies, and its lower.
struct OverlayGround {
    let lower: TestPath
    /// The overlay's, which isn't mounted any more.
    let upper: TestPath
    /// What the overlay showed at last, and the room that each file took.
    let shown: Snapshot
    let blocks: [TestPath: UInt64]

    /// `change` works on the mounted overlay. nil: this machine's overlayfs doesn't do that; the reason is printed.
    init?(
        in scratch: Scratch, on ground: TestPath, lower tree: Tree, _ change: (TestPath) throws -> Void
    ) throws {
        lower = ground / "lower"
        upper = ground / "upper"
        let work = ground / "overlay.work"
        for path in [lower, upper, work] { try Sys.makeDirectory(path) }
        try tree.build(at: lower)
        let options =
            "lowerdir=\(lower),upperdir=\(upper),workdir=\(work)"
            + ",redirect_dir=on,metacopy=on,index=off"
        let mount = try scratch.directory("overlay")
        do throws(Errno) {
            try Sys.mount("overlay", on: mount, type: "overlay", flags: 0, options: options)
        } catch {
            print("skipped: overlayfs with redirect_dir=on,metacopy=on: \(error)")
            return nil
        }
        defer { try? Sys.unmount(mount, lazily: true) }
        try change(mount)
        shown = try Snapshot(mount)
        var blocks: [TestPath: UInt64] = [:]
        for (name, item) in shown.items where item.kind == .file {
            blocks[name] = try Sys.facts(mount / name).blocks
        }
        self.blocks = blocks
        if try !Sys.unmountOnceFree(mount) { throw FixtureError("the overlay stayed busy") }
    }
}

extension OverlayGround {
    /// Renamed here and there, alone and within one another; changed in their attributes only.
    static let tree: Tree = [
        "dir": ["one": "1", "sub": ["deep": ["file": "deep"]]], "other": ["small": .file("s", mode: 0o600)],
        "p": ["q": ["q": "q"]], "x": ["y": ["z": ["zz": "zz"]]], "file": "f", "hard": .link("file"),
        "big": .bytes((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }), "link": .symlink("/etc"),
        "plain": ["f": "f"],
    ]

    static func rearrange(_ mount: TestPath) throws {
        try Sys.rename(mount / "dir", mount / "renamed")
        try Sys.put(mount / "renamed/sub/added", "added")
        try Sys.changeOwner(mount / "renamed/one", uid: 1000, gid: 1000)
        try Sys.makeDirectory(mount / "new")
        try Sys.rename(mount / "p", mount / "new/moved")
        try Sys.rename(mount / "new/moved/q", mount / "new/moved/q2")
        try Sys.rename(mount / "x/y", mount / "x/y2")
        try Sys.rename(mount / "x", mount / "x2")
        try Sys.rename(mount / "x2/y2/z", mount / "z")
        try Sys.changeMode(mount / "file", 0o640)
        try Sys.changeMode(mount / "big", 0o755)
        try Sys.rename(mount / "big", mount / "new/big")
        try Sys.link(mount / "new/big", mount / "biglink")
        try Sys.changeMode(mount / "other/small", 0o644)
        try Sys.rename(mount / "other/small", mount / "other/small2")
        // A name that a redirect has freed is another directory's.
        try Sys.makeDirectory(mount / "dir")
        try Sys.put(mount / "dir/fresh", "fresh")
    }
}

import Glibc
import SwitchTestKit
import SystemPackage

/// What happens to the layers themselves.
extension HeldChange {
    private static let parts: [TestPath] = [
        "one", "a", "a/b", "a/b/c", "1", "1/2", "1/2/3", "1/2/3/4", "1/2/3/4/5", "p", "p/q", "p/q/r", "etc",
    ]
    /// What keeps the places there when their lower loses them.
    private static let notes: [TestPath] = HeldScene.directories + [HeldScene.others]
    private static let tops: [TestPath] = ["one", "a", "1", "p"]

    /// Real directories of the places' names, level by level, and away again.
    private static func appear(_ name: String, in layer: Int?) -> HeldChange {
        HeldChange("real directories appear in \(name) and go") { scene in
            let root = scene.layer(layer)
            for part in parts {
                try Sys.makeDirectories(root / part)
                try scene.demand("\(part) in \(name)")
            }
            for part in parts.reversed() where !(layer == HeldScene.low && part == "etc") {
                try Sys.removeDirectory(root / part)
                try scene.demand("\(part) gone from \(name)")
            }
        }
    }

    /// All of them at once, with what is in them.
    private static func appearAtOnce(_ name: String, in layer: Int?) -> HeldChange {
        HeldChange("a tree appears in \(name) at once and goes") { scene in
            let root = scene.layer(layer)
            for part in parts {
                try Sys.makeDirectories(scene.outside / part)
                try Sys.put(scene.outside / part / "found", "found")
            }
            for _ in 0..<2 {
                for top in tops {
                    try Sys.rename(scene.outside / top, root / top)
                    try scene.demand("\(top) moved to \(name)")
                }
                for top in tops {
                    try Sys.rename(root / top, scene.outside / top)
                    try scene.demand("\(top) moved out of \(name)")
                }
            }
        }
    }

    @Sendable private static func makeNotes(_ union: Union) throws {
        for place in notes { try Sys.put(union[place / "note"], "note") }
    }

    static let inTheLayers: [HeldChange] = [
        appear("the upper", in: nil), appear("the lower above", in: HeldScene.high),
        appear("the lower below", in: HeldScene.low),
        appearAtOnce("the upper", in: nil), appearAtOnce("the lower above", in: HeldScene.high),
        appearAtOnce("the lower below", in: HeldScene.low),
        HeldChange("files come and go beside") { scene in
            for layer in [nil, HeldScene.high, HeldScene.middle, HeldScene.low] {
                for place in ["", "etc", "a/b"] as [TestPath] where Sys.exists(scene.layer(layer) / place) {
                    let path = scene.layer(layer) / place / "file"
                    try Sys.put(path, "file")
                    try scene.demand("a file \(path)")
                    try Sys.unlink(path)
                    try scene.demand("no file \(path)")
                }
            }
        },
        HeldChange("siblings are renamed in the layer") { scene in
            let root = scene.layer(HeldScene.middle)
            let pairs: [(TestPath, TestPath)] = [
                ("etc/passwd", "etc/renamed"), ("a/b/sibling", "a/b/renamed"), ("a/file", "a/renamed"),
                ("any", "anything"), ("p/q/sibling", "a/b/sibling"),
            ]
            for (old, new) in pairs {
                try Sys.rename(root / old, root / new)
                try scene.demand("renaming \(old) to \(new) in the layer")
            }
        },
        HeldChange("attributes and contents are changed in the layer") { scene in
            let root = scene.layer(HeldScene.middle)
            for part in parts {
                try Sys.changeMode(root / part, 0o711)
                try Sys.changeOwner(root / part, uid: 5, gid: 6)
                try scene.demand("changing the attributes of \(part)")
            }
            for name in ["etc/hosts", "etc/other"] as [TestPath] {
                try Sys.put(root / name, "more than before, in the same file")
                try Sys.changeMode(root / name, 0o600)
                try Sys.link(root / name, root / name + "-link")
                try scene.demand("changing \(name)")
            }
        },
        HeldChange("the layer below takes over") { scene in
            for part in parts { try Sys.makeDirectories(scene.layer(HeldScene.low) / part) }
            try scene.demand("the same directories below")
            for top in tops {
                try Sys.rename(scene.layer(HeldScene.middle) / top, scene.outside / top)
                try scene.demand("\(top) gone above")
            }
            for top in tops {
                try Sys.rename(scene.outside / top, scene.layer(HeldScene.middle) / top)
                try scene.demand("\(top) back above")
            }
        },
        HeldChange("origins go while entries stay", before: makeNotes) { scene in
            let root = scene.layer(HeldScene.middle)
            for place in notes {
                for directory in ([place] + place.above.reversed()) {
                    Sys.removeTree(root / directory)
                    try scene.demand("\(directory) gone")
                }
            }
            for part in parts {
                try Sys.makeDirectories(root / part)
                try scene.demand("\(part) back")
            }
        },
        HeldChange("what hides lower layers comes and goes") { scene in
            for part in parts { try Sys.makeDirectories(scene.layer(HeldScene.low) / part) }
            for directory in ["a", "a/b", "a/b/c", "1/2", "p"] as [TestPath] {
                let path = scene.layer(HeldScene.middle) / directory
                try Sys.setXattr(path, "trusted.overlay.opaque", "y")
                try scene.demand("\(directory) opaque")
                try Sys.removeXattr(path, "trusted.overlay.opaque")
                try scene.demand("\(directory) opaque no more")
            }
        },
        HeldChange("filesystems are mounted in layers") { scene in
            for layer in [nil, HeldScene.high, HeldScene.middle, HeldScene.low] {
                let path = scene.layer(layer) / "any"
                try Sys.makeDirectories(path)
                for _ in 0..<2 {
                    try Sys.mount("tmpfs", on: path, type: "tmpfs", options: "mode=755")
                    try scene.demand("a mount on \(path)")
                    try Sys.put(path / "inside", "inside")
                    try scene.demand("a file in the mount on \(path)")
                    try Sys.unmount(path, lazily: true)
                    try scene.demand("no mount on \(path)")
                }
            }
            let file = scene.layer(HeldScene.middle) / "etc/passwd"
            let source = scene.layer(HeldScene.middle) / "a/file"
            try Sys.mount(source.text, on: file, type: "none", flags: Flag.bind)
            try scene.demand("a mount on a file of a layer")
            try Sys.unmount(file, lazily: true)
        },
    ]
}

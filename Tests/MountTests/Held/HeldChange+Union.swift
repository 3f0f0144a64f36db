import Glibc
import SwitchTestKit
import SystemPackage

/// What users do through the union, beside mounts and above them.
extension HeldChange {
    private static let places: [TestPath] = ["", "etc", "a", "a/b", "1", "1/2/3/4", "p", "p/q"]

    static let throughTheUnion: [HeldChange] = [
        HeldChange("files are created beside and above") { scene in
            for place in places {
                try Sys.put(scene.union[place / "new"], "new")
                try scene.demand("creating \(place)/new")
            }
        },
        HeldChange("files are created from below upwards") { scene in
            for place in places.reversed() {
                try Sys.put(scene.union[place / "new"], "new")
                try scene.demand("creating \(place)/new")
            }
        },
        HeldChange("files are created and removed") { scene in
            for place in places {
                try Sys.put(scene.union[place / "new"], "new")
                try Sys.unlink(scene.union[place / "new"])
                try scene.demand("removing \(place)/new")
            }
        },
        HeldChange("directories are made and removed") { scene in
            for place in places {
                try Sys.makeDirectory(scene.union[place / "new"])
                try scene.demand("making \(place)/new")
                try Sys.removeDirectory(scene.union[place / "new"])
                try scene.demand("removing \(place)/new")
            }
        },
        HeldChange("other kinds are created") { scene in
            for place in places {
                try Sys.makeSymlink(scene.union[place / "sym"], to: "nowhere")
                try Sys.makeFifo(scene.union[place / "fifo"])
                _ = try Sys.open(scene.union[place == "" ? "any" : place], O_RDWR | Flag.temporary)
                try scene.demand("creating in \(place)")
            }
        },
        HeldChange("siblings are renamed") { scene in
            let pairs: [(TestPath, TestPath)] = [
                ("etc/passwd", "etc/renamed"), ("a/b/sibling", "a/b/renamed"), ("a/file", "a/renamed"),
                ("any", "anything"), ("p/q/sibling", "p/renamed"), ("a/renamed", "1/2/file"),
                ("etc/sibling", "1/2/3/4/sibling"),
            ]
            for (old, new) in pairs {
                try Sys.rename(scene.union[old], scene.union[new])
                try scene.demand("renaming \(old) to \(new)")
            }
            try Sys.rename(scene.union["etc/renamed"], scene.union["anything"], flags: Flag.renameExchange)
            try scene.demand("exchanging two siblings")
        },
        HeldChange("siblings are replaced") { scene in
            for place in ["etc", "a/b", "1/2/3/4", "p/q"] as [TestPath] {
                try Sys.put(scene.union[place / "aside"], "aside")
                try Sys.rename(scene.union[place / "aside"], scene.union[place / "passwd"])
                try scene.demand("replacing \(place)/passwd")
                try Sys.makeDirectory(scene.union[place / "directory"])
                try Sys.makeDirectory(scene.union[place / "other" + "-directory"])
                try Sys.rename(
                    scene.union[place / "directory"], scene.union[place / "other" + "-directory"])
                try scene.demand("replacing \(place)/other-directory")
            }
        },
        HeldChange("siblings are removed") { scene in
            for name in ["etc/passwd", "a/file", "any/thing"] as [TestPath] {
                try Sys.unlink(scene.union[name])
                try scene.demand("removing \(name)")
            }
            for name in ["etc/sibling", "a/b/sibling", "p/q/sibling"] as [TestPath] {
                try Sys.unlink(scene.union[name / "x"])
                try Sys.removeDirectory(scene.union[name])
                try scene.demand("removing \(name)")
            }
        },
        HeldChange("a parent is renamed") { scene in
            let pairs: [(TestPath, TestPath)] = [
                ("a/b", "a/renamed"), ("1", "first"), ("first/2/3", "first/2/three"), ("p", "q"),
            ]
            for (old, new) in pairs {
                try Sys.rename(scene.union[old], scene.union[new])
                scene.held.follow(old, to: new)
                try scene.demand("renaming \(old) to \(new)")
            }
        },
        HeldChange("a parent is renamed to another directory") { scene in
            let pairs: [(TestPath, TestPath)] = [
                ("a/b", "1/2/b"), ("p/q", "any/q"), ("1/2/b", "etc/b"), ("any/q", "q"),
            ]
            for (old, new) in pairs {
                try Sys.rename(scene.union[old], scene.union[new])
                scene.held.follow(old, to: new)
                try scene.demand("renaming \(old) to \(new)")
            }
            for place in ["q", "etc/b"] as [TestPath] {
                try Sys.put(scene.union[place / "new"], "new")
                try scene.demand("creating \(place)/new")
            }
        },
        HeldChange("parents are exchanged") { scene in
            try Sys.rename(scene.union["a/b"], scene.union["p/q"], flags: Flag.renameExchange)
            scene.held.follow("a/b", to: "exchanged")
            scene.held.follow("p/q", to: "a/b")
            scene.held.follow("exchanged", to: "p/q")
            try scene.demand("exchanging a/b and p/q")
        },
        HeldChange("parents' attributes are changed") { scene in
            for place in places where place != "" {
                try Sys.changeMode(scene.union[place], 0o700)
                try Sys.changeOwner(scene.union[place], uid: 5, gid: 6)
                try Sys.changeTimes(scene.union[place], accessed: 7, modified: 8)
                try Sys.setXattr(scene.union[place], "user.any", "value")
                try scene.demand("changing the attributes of \(place)")
            }
        },
    ]
}

import SwitchTestKit
import SystemPackage

extension Scenarios {
    /// Everything onto everything, with each flag, in one directory and between two.
    static var rename: [Scenario] {
        var all: [Scenario] = []
        let kinds: [PosixCall.Kind?] = [nil] + PosixCall.Kind.allCases
        for source in kinds {
            for target in kinds {
                for flags in [0, 1, 2] as [UInt32] {
                    for (from, to) in [("a", "b"), ("x/a", "y/b")] as [(TestPath, TestPath)] {
                        var setup = object(.directory, "x") + object(.directory, "y")
                        if let source { setup += object(source, from) }
                        if let target { setup += object(target, to, uid: 5, gid: 6) }
                        let title = "rename \(source?.rawValue ?? "none") to \(target?.rawValue ?? "none")"
                        all.append(
                            Scenario(
                                "\(title), flags \(flags), \(from)", setup: setup, [.rename(from, to, flags)],
                                observing: [from, to, "x", "y", ""]))
                    }
                }
            }
        }
        let tree =
            object(.directory, "d") + object(.directory, "d/e") + object(.file, "d/e/f")
            + object(.directory, "empty") + object(.file, "file") + [.link("file", "same")]
        for flags in [0, 1, 2] as [UInt32] {
            for (from, to) in [
                ("d", "empty"), ("empty", "d"), ("d", "d/e"), ("d", "d/e/g"), ("d/e", "d"), ("d/e/f", "d"),
                ("d", "d"), ("file", "file"), ("file", "same"), (".", "q"), ("d/.", "q"), ("d/..", "q"),
                ("d", "."), ("d", "empty/"), ("d/", "q"), ("d", "q/"), ("file/", "q"), ("file", "q/"),
                ("file", "d/"), ("file", "none/q"), ("file", "file/q"), ("d/e/f", "empty/f"),
                ("none", "none"),
                ("", "q"), ("d", ""), ("d", ".."),
            ] as [(TestPath, TestPath)] {
                all.append(
                    Scenario(
                        "rename \(from) to \(to), flags \(flags)", setup: tree, [.rename(from, to, flags)],
                        observing: ["d", "d/e", "d/e/f", "empty", "empty/e", "file", "same", "q", ""]))
            }
        }
        for flags in [3, 4, 8, 6] as [UInt32] {
            all.append(
                Scenario(
                    "rename with flags \(flags)", setup: tree, [.rename("none", "q", flags)], observing: ["q"]
                ))
        }
        return all
    }

    static var renameRights: [Scenario] {
        var all: [Scenario] = []
        for kind in [PosixCall.Kind.file, .directory, .symlink] {
            for from in [0o777, 0o555, 0o333, 0o770] as [UInt32] {
                for to in [0o777, 0o555, 0o770] as [UInt32] {
                    for flags in [0, 2] as [UInt32] {
                        var setup = object(.directory, "x") + object(.directory, "y")
                        setup += object(kind, "x/a", mode: 0o755, uid: 54321, gid: 54321)
                        if flags == 2 { setup += object(kind, "y/b", mode: 0o755, uid: 54321, gid: 54321) }
                        setup += [.chmod("x", from), .chown("x", 54321, 54400)]
                        setup += [.chmod("y", to), .chown("y", 54321, 54400)]
                        all += Scenario.by(
                            [owner, friend, stranger],
                            "rename \(kind) from \(String(from, radix: 8)) to \(String(to, radix: 8)) \(flags)",
                            setup: setup, [.rename("x/a", "y/b", flags)],
                            observing: ["x/a", "y/b", "x", "y"])
                    }
                }
            }
            // A directory's own write right counts when its `..` changes.
            all += Scenario.by(
                [owner, stranger], "rename another's \(kind)",
                setup: object(.directory, "x", mode: 0o777) + object(.directory, "y", mode: 0o777)
                    + object(kind, "x/a", mode: 0o755, uid: 54322, gid: 54322),
                [.rename("x/a", "x/b", 0), .rename("x/b", "y/c", 0)], observing: ["x/a", "x/b", "y/c"])
        }
        return all
    }
}

import SwitchTestKit

extension Scenarios {
    static var chmod: [Scenario] {
        var all: [Scenario] = []
        let modes: [UInt32] = [0, 0o111, 0o644, 0o777, 0o1777, 0o2777, 0o4777, 0o7777, 0o2644, 0o6755]
        for kind in PosixCall.Kind.notSymlink {
            for mode in modes {
                all += Scenario.by(
                    everyone, "chmod \(kind) \(String(mode, radix: 8))",
                    setup: object(kind, "a", mode: 0o644, uid: 54321, gid: 54321),
                    [.chmod("a", mode)], observing: ["a", ""])
            }
            // A group that the owner is not in costs the sgid bit.
            for gid in [54321, 54400, 777] as [UInt32] {
                all += Scenario.by(
                    [.root, owner], "chmod \(kind) in group \(gid)",
                    setup: object(kind, "a", mode: 0o755, uid: 54321, gid: gid),
                    [.chmod("a", 0o2755), .chmod("a", 0o6755)], observing: ["a"])
            }
            all.append(
                Scenario(
                    "chmod \(kind) through a symlink", setup: object(kind, "a") + [.symlink("a", "s")],
                    [.chmod("s", 0o600)], observing: ["a", "s"]))
        }
        return all
    }

    static var chown: [Scenario] {
        var all: [Scenario] = []
        let keep = UInt32.max
        let wanted: [(UInt32, UInt32)] = [
            (0, 0), (54321, 54321), (keep, 54400), (keep, 54401), (keep, 777), (54322, keep), (keep, keep),
            (54321, 54400), (54321, keep), (123, 456),
        ]
        for kind in PosixCall.Kind.allCases {
            for (uid, gid) in wanted {
                for mode in [0o644, 0o6755, 0o6744] as [UInt32] where kind != .symlink || mode == 0o644 {
                    all += Scenario.by(
                        mode == 0o644 ? everyone : [.root, owner],
                        "chown \(kind) \(String(mode, radix: 8)) to \(uid):\(gid)",
                        setup: object(kind, "a", mode: mode, uid: 54321, gid: 54321),
                        [kind == .symlink ? .lchown("a", uid, gid) : .chown("a", uid, gid)],
                        observing: ["a"])
                }
            }
            if kind != .symlink {
                all.append(
                    Scenario(
                        "chown \(kind) through a symlink", setup: object(kind, "a") + [.symlink("a", "s")],
                        [.chown("s", 12, 34), .lchown("s", 56, 78)], observing: ["a", "s"]))
            }
        }
        return all
    }

    static var access: [Scenario] {
        var all: [Scenario] = []
        for kind in [PosixCall.Kind.file, .directory, .fifo] {
            for mode in [0, 0o400, 0o040, 0o004, 0o200, 0o020, 0o002, 0o100, 0o010, 0o001, 0o750] as [UInt32]
            {
                all += Scenario.by(
                    everyone, "access \(kind) \(String(mode, radix: 8))",
                    setup: object(kind, "a", mode: mode, uid: 54321, gid: 54400),
                    [.access("a", 4), .access("a", 2), .access("a", 1), .access("a", 7), .access("a", 0)],
                    observing: ["a"])
            }
        }
        return all
    }

    static var times: [Scenario] {
        var all: [Scenario] = []
        let changes: [(Int64, Int64)] = [
            (Sys.now, Sys.now), (Sys.omit, Sys.omit), (1_000_000_001, 2_000_000_002), (Sys.now, Sys.omit),
            (Sys.omit, 5_000_000_000), (-1_500_000_000, -2_500_000_000),
        ]
        for kind in PosixCall.Kind.allCases {
            for (accessed, modified) in changes {
                for mode in [0o644, 0o666] as [UInt32] {
                    all += Scenario.by(
                        everyone, "utimens \(kind) \(String(mode, radix: 8)) \(accessed) \(modified)",
                        setup: object(kind, "a", mode: mode, uid: 54321, gid: 54400),
                        [.utimens("a", accessed, modified, follow: false)], observing: ["a", ""])
                }
            }
        }
        return all
    }

    /// What clears the set-id bits, and for whom.
    static var privileges: [Scenario] {
        var all: [Scenario] = []
        let ways: [(String, PosixCall)] = [
            ("write", .open("a", 1, 0, [.write("x")])),
            ("append", .open("a", 0o2001, 0, [.write("x")])),
            ("write nothing", .open("a", 1, 0, [.write("")])),
            ("truncate", .truncate("a", 3)), ("truncate to the same", .truncate("a", 10)),
            ("ftruncate", .open("a", 1, 0, [.truncate(3)])),
            ("open to truncate", .open("a", 0o1001, 0, [])),
            ("allocate", .open("a", 2, 0, [.allocate(0, 0, 100)])),
            ("chown to the same", .chown("a", 54321, 54400)),
            ("chown nothing", .chown("a", .max, .max)),
            ("read", .open("a", 0, 0, [.read(3)])),
            ("open only", .open("a", 2, 0, [.synchronize])),
            ("times", .utimens("a", Sys.now, Sys.now, follow: true)),
            ("link", .link("a", "b")), ("rename", .rename("a", "b", 0)),
        ]
        for (name, call) in ways {
            for mode in [0o4777, 0o2777, 0o6777, 0o2767, 0o6666, 0o1777] as [UInt32] {
                all += Scenario.by(
                    everyone, "\(name) on \(String(mode, radix: 8))",
                    setup: object(.file, "a", mode: mode, uid: 54321, gid: 54400), [call],
                    observing: ["a", "b"])
            }
        }
        return all
    }
}

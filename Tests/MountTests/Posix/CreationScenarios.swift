import Glibc
import SwitchTestKit

extension Scenarios {
    static var create: [Scenario] {
        var all: [Scenario] = []
        let parents: [UInt32] = [0o755, 0o770, 0o333, 0o555, 0o111, 0o2777, 0o3777]
        for mode in parents {
            for maker in makers("d/new") {
                all += Scenario.by(
                    everyone, "\(maker) in \(String(mode, radix: 8))",
                    setup: object(.directory, "d", mode: mode, uid: 54321, gid: 54400), [maker],
                    observing: ["d/new", "d"])
            }
        }
        for mask in [0, 0o077, 0o777, 0o137] as [UInt32] {
            for maker in makers("d/new") {
                all += Scenario.by(
                    [.root, owner], "\(maker) with umask \(String(mask, radix: 8))",
                    setup: object(.directory, "d", mode: 0o777, uid: 54321, gid: 54321), umask: mask, [maker],
                    observing: ["d/new"])
            }
        }
        for mode in [0, 0o200, 0o444, 0o1777, 0o2755, 0o6755] as [UInt32] {
            all += Scenario.by(
                [.root, owner], "modes of new objects \(String(mode, radix: 8))",
                [
                    .mkdir("m", mode), .mknod("p", 0o010000 | mode, 0, 0),
                    .open("f", 0o102, mode, [.write("x")]),
                ],
                observing: ["m", "p", "f", ""])
        }
        return all
    }

    /// Something there already, or in the way.
    static var existing: [Scenario] {
        var all: [Scenario] = []
        for kind in PosixCall.Kind.allCases {
            for maker in makers("a") where !isPlainOpen(maker) || kind == .file || kind == .directory {
                all.append(
                    Scenario(
                        "\(maker) over \(kind)", setup: object(kind, "a"), [maker], observing: ["a", ""]))
            }
            for call in onPath("a/below") + onPath("none/below") {
                all.append(
                    Scenario(
                        "\(call) beside \(kind)", setup: object(kind, "a") + object(.file, "other"), [call],
                        observing: ["a", "other"]))
            }
        }
        return all
    }

    /// Opening for writing without O_EXCL: blocks or acts on devices and fifos.
    private static func isPlainOpen(_ call: PosixCall) -> Bool {
        if case .open(_, let flags, _, _) = call { return flags & 0o200 == 0 }
        return false
    }

    static var open: [Scenario] {
        var all: [Scenario] = []
        let nonblocking: Int32 = 0o4000
        let flags: [(String, Int32)] = [
            ("read", 0), ("write", 1), ("both", 2), ("create", 0o100), ("exclusive", 0o301),
            ("truncate", 0o1001), ("read truncate", 0o1000), ("append", 0o2002), ("directory", 0o200000),
            ("no follow", 0o400000), ("path", 0o10000000), ("path no follow", 0o10400000),
            ("create directory", 0o200100), ("temporary", 0o20200002),
        ]
        for (name, flag) in flags {
            for kind in PosixCall.Kind.allCases {
                all.append(
                    Scenario(
                        "open \(kind) \(name)", setup: object(kind, "a"),
                        [.open("a", flag | nonblocking, 0o644, [.facts])], observing: ["a", "", "nowhere"]))
            }
            for mode in [0, 0o444, 0o222, 0o600, 0o060, 0o006, 0o640] as [UInt32] {
                all += Scenario.by(
                    everyone, "open file of \(String(mode, radix: 8)) \(name)",
                    setup: object(.file, "a", mode: mode, uid: 54321, gid: 54400),
                    [.open("a", flag | nonblocking, 0o644, [.facts])], observing: ["a"])
            }
        }
        for mode in [0o555, 0o333, 0o111, 0] as [UInt32] {
            all += Scenario.by(
                everyone, "list directory of \(String(mode, radix: 8))",
                setup: object(.directory, "d", mode: 0o755) + object(.file, "d/f")
                    + [.chmod("d", mode), .chown("d", 54321, 54400)],
                [.list("d"), .stat("d/f"), .open("d", 0, 0, [])], observing: ["d", "d/f"])
        }
        return all
    }

    /// Calls on an open file, while its name goes or moves.
    static var files: [Scenario] {
        var all: [Scenario] = []
        let actions: [(String, [FileAction])] = [
            ("unlink", [.unlink("a"), .facts, .write("xyz"), .facts, .truncate(2), .facts]),
            ("unlink and change", [.unlink("a"), .chmod(0o600), .chown(5, 6), .times(7), .facts]),
            ("rename", [.rename("a", "b"), .write("xyz"), .chmod(0o640), .facts]),
            ("replace", [.rename("other", "a"), .write("q"), .facts]),
            ("grow", [.truncate(100), .facts, .writeAt("z", 1000), .facts, .truncate(0), .facts]),
            ("sparse", [.writeAt("a", 100_000), .seek(0, 4), .seek(0, 2), .facts]),
            ("allocate", [.allocate(0, 0, 5000), .facts, .allocate(1, 0, 50000), .facts]),
            ("allocate badly", [.allocate(0, -1, 5), .allocate(0, 0, 0), .allocate(2, 0, 5), .facts]),
            ("truncate badly", [.truncate(-1), .truncate(Int64.max), .facts]),
            ("seek", [.seek(-1, 0), .seek(5, 0), .read(10), .seek(-3, 2), .read(10), .seek(0, 77)]),
            ("sync", [.write("abc"), .synchronize, .facts]),
        ]
        for (name, list) in actions {
            for flags in [0, 1, 2, 0o2002, 0o10002] as [Int32] {
                all += Scenario.by(
                    [.root, owner], "\(name) with flags \(String(flags, radix: 8))",
                    setup: object(.file, "a", mode: 0o644, uid: 54321, gid: 54321)
                        + object(.file, "other", uid: 54321, gid: 54321),
                    [.open("a", flags, 0, list)], observing: ["a", "b", "other", ""])
            }
        }
        return all
    }

    static var truncate: [Scenario] {
        var all: [Scenario] = []
        for size in [0, 1, 10, 5000, -1, Int64.max] as [Int64] {
            for kind in PosixCall.Kind.allCases where kind != .symlink {
                all.append(
                    Scenario(
                        "truncate \(kind) to \(size)", setup: object(kind, "a"), [.truncate("a", size)],
                        observing: ["a"]))
            }
            for mode in [0o644, 0o444, 0o200, 0o020, 0o002] as [UInt32] {
                all += Scenario.by(
                    everyone, "truncate \(String(mode, radix: 8)) to \(size)",
                    setup: object(.file, "a", mode: mode, uid: 54321, gid: 54400), [.truncate("a", size)],
                    observing: ["a", ""])
            }
        }
        return all
    }
}

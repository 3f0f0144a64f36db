import SwitchTestKit

extension Scenarios {
    static var remove: [Scenario] {
        var all: [Scenario] = []
        for kind in PosixCall.Kind.allCases {
            for mode in [0o755, 0o333, 0o555, 0o770] as [UInt32] {
                for call in [PosixCall.unlink("d/a"), .rmdir("d/a")] {
                    all += Scenario.by(
                        everyone, "\(call) of \(kind) in \(String(mode, radix: 8))",
                        setup: object(.directory, "d") + object(kind, "d/a", uid: 54321, gid: 54321)
                            + [.chmod("d", mode), .chown("d", 54321, 54400)],
                        [call], observing: ["d/a", "d"])
                }
            }
            if kind != .directory {
                all.append(
                    Scenario(
                        "unlink one of two names of \(kind)", setup: object(kind, "a") + [.link("a", "b")],
                        [.unlink("a")], observing: ["a", "b", ""]))
            }
        }
        let nested = object(.directory, "d") + object(.directory, "d/e") + object(.file, "d/e/f")
        for call in [
            .rmdir("d"), .rmdir("d/e"), .rmdir("d/."), .rmdir("d/.."), .rmdir("d/e/"), .unlink("d/e/f/"),
            .unlink("d/e/"), .rmdir("d/e/f"), .rmdir("."), .unlink("."), .rmdir("none"), .unlink("none"),
        ] as [PosixCall] {
            all.append(Scenario("\(call)", setup: nested, [call], observing: ["d", "d/e", "d/e/f"]))
        }
        all.append(
            Scenario(
                "empty and remove", setup: nested, [.unlink("d/e/f"), .rmdir("d/e"), .rmdir("d")],
                observing: ["d", "d/e", ""]))
        return all
    }

    /// The sticky bit: who may remove and rename what.
    static var sticky: [Scenario] {
        var all: [Scenario] = []
        for parent in [0, 54321, 54322] as [UInt32] {
            for target in [0, 54321, 54322] as [UInt32] {
                for kind in [PosixCall.Kind.file, .directory, .symlink, .fifo] {
                    let setup =
                        object(.directory, "d", mode: 0o1777, uid: parent, gid: parent)
                        + object(kind, "d/a", mode: 0o777, uid: target, gid: target)
                        + object(.directory, "mine", mode: 0o777)
                        + object(kind, "mine/b", mode: 0o777, uid: 54321, gid: 54321)
                    let calls: [PosixCall] = [
                        kind == .directory ? .rmdir("d/a") : .unlink("d/a"), .rename("d/a", "d/c", 0),
                        .rename("d/a", "mine/c", 0), .rename("mine/b", "d/a", 0), .rename("mine/b", "d/a", 2),
                        .chmod("d/a", 0o700),
                    ]
                    for call in calls {
                        all += Scenario.by(
                            [owner, stranger], "sticky \(parent), \(kind) of \(target): \(call)",
                            setup: setup,
                            [call], observing: ["d/a", "d/c", "mine/b", "mine/c", "d"])
                    }
                }
            }
        }
        return all
    }

    static var link: [Scenario] {
        var all: [Scenario] = []
        for kind in PosixCall.Kind.allCases {
            for mode in [0o644, 0o600, 0o4755, 0o2755] as [UInt32] {
                all += Scenario.by(
                    everyone, "link \(kind) \(String(mode, radix: 8))",
                    setup: object(kind, "a", mode: mode, uid: 54321, gid: 54321)
                        + object(.directory, "d", mode: 0o777),
                    [.link("a", "d/b"), .link("d/b", "c")], observing: ["a", "d/b", "c", "d", ""])
            }
            for other in PosixCall.Kind.allCases {
                all.append(
                    Scenario(
                        "link file over \(other) from \(kind)", setup: object(kind, "a") + object(other, "b"),
                        [.link("a", "b")], observing: ["a", "b"]))
            }
        }
        all.append(
            Scenario(
                "links are one file", setup: object(.file, "a"),
                [
                    .link("a", "b"), .chmod("b", 0o600), .truncate("a", 3), .chown("b", 5, 6), .unlink("a"),
                    .link("b", "a"), .link("b", "b"), .open("b", 0o2001, 0, [.write("more")]),
                ], observing: ["a", "b"]))
        return all
    }

    static var symlinks: [Scenario] {
        var all: [Scenario] = []
        let long = TestPath(String(repeating: "x/", count: 2047) + "y")
        for target in ["a", "/", ".", "..", "none", "d/a", long, long + "z", ""] as [TestPath] {
            all.append(
                Scenario(
                    "symlink to \(target.text.prefix(20))", setup: object(.file, "a"),
                    [.symlink(target, "s"), .readlink("s"), .stat("s"), .lstat("s")], observing: ["s", ""]))
        }
        let loop: [PosixCall] =
            [.symlink("two", "one"), .symlink("one", "two"), .symlink("self", "self")]
            + object(.file, "other")
        for call in onPath("one") + onPath("self/x") + onPath("one/x") {
            all.append(Scenario("loop: \(call)", setup: loop, [call], observing: ["one", "two", "other"]))
        }
        var chain: [PosixCall] = object(.file, "l0")
        for index in 1...41 { chain.append(.symlink("l\(index - 1)", "l\(index)")) }
        for last in [39, 40, 41] {
            all.append(
                Scenario(
                    "chain of \(last)", setup: chain,
                    [.stat("l\(last)"), .open("l\(last)", 2, 0, [.write("x")]), .truncate("l\(last)", 0)],
                    observing: ["l0"]))
        }
        let through = object(.directory, "d") + [.symlink("d", "s"), .symlink("d/none", "dangling")]
        for call in [
            .mkdir("s/e", 0o755), .open("s/f", 0o101, 0o644, []), .open("dangling", 0o101, 0o644, []),
            .open("dangling", 0o301, 0o644, []), .mkdir("dangling", 0o755),
            .mknod("dangling", 0o010644, 0, 0),
            .list("s"), .list("s/"), .rmdir("s"), .rmdir("s/"), .unlink("s/"), .rename("s", "t", 0),
            .rename("s/", "t", 0), .rename("d", "s", 0), .lstat("s/"), .readlink("s/"),
            .chmod("dangling", 0o600),
        ] as [PosixCall] {
            all.append(
                Scenario(
                    "through a symlink: \(call)", setup: through, [call],
                    observing: ["d", "s", "t", "d/none"]))
        }
        return all
    }
}

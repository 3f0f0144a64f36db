import SwitchTestKit

extension Scenarios {
    /// Names of 255 and 256 bytes, paths near PATH_MAX, odd spellings, with every call.
    static var names: [Scenario] {
        var all: [Scenario] = []
        let long = TestPath(String(repeating: "n", count: 255))
        for call in onPath(long) {
            all.append(
                Scenario(
                    "255 bytes, missing: \(word(call))", setup: object(.file, "other"), [call],
                    observing: [long, "other", ""]))
            all.append(
                Scenario(
                    "255 bytes: \(word(call))", setup: object(.file, "other") + object(.file, long), [call],
                    observing: [long, "other", ""]))
        }
        for path in [long + "n", "d" / (long + "n"), (long + "n") / "f", "none" / (long + "n")] {
            for call in onPath(path) {
                all.append(
                    Scenario(
                        "256 bytes: \(word(call))", setup: object(.file, "other") + object(.directory, "d"),
                        [call], observing: ["other", "d"]))
            }
        }
        // "./././…/a" of 4095 bytes is the longest that the kernel takes.
        for length in [4094, 4095, 4096] {
            let dots = String(repeating: "./", count: (length - 1) / 2) + (length % 2 == 0 ? "/" : "")
            let path = TestPath(String(dots.prefix(length - 1)) + "a")
            for call in onPath(path) {
                all.append(
                    Scenario(
                        "path of \(length): \(word(call))",
                        setup: object(.file, "other") + object(.file, "a"),
                        [call], observing: ["other", "a"]))
            }
        }
        for path in ["", ".", "..", "a/", "a/.", "a/..", "d/", "d/.", "d//a", "./a", "d/../a", "/"]
            as [TestPath]
        {
            for call in onPath(path) where !harmful(call, path) {
                all.append(
                    Scenario(
                        "'\(path)': \(word(call))",
                        setup: object(.file, "other") + object(.file, "a") + object(.directory, "d")
                            + object(.file, "d/a"),
                        as: owner, [call], observing: ["other", "a", "d", "d/a"]))
            }
        }
        let odd = TestPath(bytes: [0xff, 0x80, 0x0a, 0x20, 0xc3, 0x28])
        for call in onPath(odd) {
            all.append(
                Scenario(
                    "not UTF-8: \(word(call))", setup: object(.file, "other") + object(.file, odd), [call],
                    observing: [odd, "other"]))
        }
        // A tree so deep that its path is longer than any call takes at once is in the scale tests.
        return all
    }

    /// A component that may not be searched, by every call.
    static var search: [Scenario] {
        var all: [Scenario] = []
        for mode in [0o600, 0o700, 0o710, 0o701, 0o666] as [UInt32] {
            for call in onPath("d/a") {
                all += Scenario.by(
                    [owner, friend, stranger], "search \(String(mode, radix: 8)): \(word(call))",
                    setup: object(.directory, "d") + object(.file, "d/a", mode: 0o666, uid: 54322, gid: 54322)
                        + object(.file, "other", mode: 0o666) + [.chmod("d", mode), .chown("d", 0, 54400)],
                    [call], observing: ["d/a", "other", "linked", "renamed"])
            }
        }
        return all
    }

    /// A call's name without its long arguments.
    private static func word(_ call: PosixCall) -> String {
        String("\(call)".prefix { $0 != "(" })
    }

    /// Calls that would reach beyond the scenario's own directory.
    private static func harmful(_ call: PosixCall, _ path: TestPath) -> Bool {
        guard path == "/" || path == ".." || path == "a/.." || path == "." || path == "" else { return false }
        switch call {
        case .chmod, .chown, .lchown, .utimens: return path != ""
        case .list, .statfs: return path == "/" || path == ".."
        default: return false
        }
    }
}

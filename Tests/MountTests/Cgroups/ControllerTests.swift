import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Files that come and go in groups without a word from inotify: those of controllers, and of pressure.
extension CgroupTests {
    /// Looks, so that anything that is kept would be, then changes, and looks again at once.
    private func expectSame(
        _ union: Union, _ group: Cgroup, in names: [TestPath], _ what: String
    ) throws {
        for name in names {
            let files = try Sys.names(group.path / name)
            #expect(try Sys.names(union[name]) == files, "\(name), \(what)")
            for file in files { #expect(Sys.exists(union[name] / file), "\(name)/\(file), \(what)") }
        }
    }

    /// A controller that can be had in this hierarchy's root, and whether children of the root have it.
    private static var controller: String? {
        guard let root = Machine.cgroup2, let text = try? Sys.text(root / "cgroup.controllers") else {
            return nil
        }
        return text.split(whereSeparator: \.isWhitespace).map(String.init).first
    }

    private static func isOn(_ controller: String, in group: TestPath) throws -> Bool {
        try Sys.text(group / "cgroup.subtree_control").split(whereSeparator: \.isWhitespace)
            .contains(controller[...])
    }

    private static func turn(_ controller: String, on isOn: Bool, in group: TestPath) throws {
        try Sys.overwrite(group / "cgroup.subtree_control", "\(isOn ? "+" : "-")\(controller)\n")
    }

    @Test(.enabled(if: controller != nil, "needs a cgroup v2 controller"))
    func controllersShowAtOnce() throws {
        let controller = try #require(Self.controller)
        let root = try #require(Machine.cgroup2)
        let wasOn = try Self.isOn(controller, in: root)
        if !wasOn { try Self.turn(controller, on: true, in: root) }
        defer { if !wasOn { try? Self.turn(controller, on: false, in: root) } }
        try withCgroupUnion(.v2) { union, group throws in
            // `A` in two layers, `A/B` in one.
            try Sys.put(union["A/note"], "x")
            try Sys.unlink(union["A/note"])
            for round in 0..<5 {
                for isOn in [true, false] {
                    // By the lower and by the union in turn.
                    try Self.turn(controller, on: isOn, in: round % 2 == 0 ? group.path : union.mount)
                    try expectSame(union, group, in: ["", "A", "A/B"], "\(controller) \(isOn) in the root")
                    let files = try Sys.names(union["A"]).filter { $0.text.hasPrefix(controller + ".") }
                    #expect(files.isEmpty == !isOn)
                    guard isOn else { continue }
                    let kept = try Sys.open(union["A"] / (files.first ?? ""))
                    try Self.turn(controller, on: true, in: group.path / "A")
                    try expectSame(union, group, in: ["A", "A/B"], "\(controller) on in A")
                    for file in files { #expect(Sys.exists(union["A/B"] / file)) }
                    try Self.turn(controller, on: false, in: group.path / "A")
                    for file in files { #expect(!Sys.exists(union["A/B"] / file), "A/B/\(file)") }
                    try Self.turn(controller, on: false, in: group.path)
                    #expect(failure { _ = try kept.read(10, at: 0) } == Errno(rawValue: ENODEV))
                    for file in files { #expect(!Sys.exists(union["A"] / file), "A/\(file)") }
                }
            }
        }
    }

    private static let hasPressure = Machine.cgroup2 != nil && Sys.exists("/proc/pressure/cpu")

    @Test(.enabled(if: hasPressure, "needs cgroup v2 with pressure stall information"))
    func pressureFilesShowAtOnce() throws {
        try withCgroupUnion(.v2) { union, group throws in
            try #require(Sys.exists(group.path / "A/cgroup.pressure"))
            for _ in 0..<5 {
                for (value, isThere) in [("0\n", false), ("1\n", true)] {
                    try Sys.overwrite(group.path / "A/cgroup.pressure", value)
                    #expect(Sys.exists(union["A/cpu.pressure"]) == isThere)
                    #expect(try Sys.text(union["A/cgroup.pressure"]) == value)
                    #expect(try Sys.names(union["A"]).contains("cpu.pressure") == isThere)
                    try expectSame(union, group, in: ["A", "A/B"], "cgroup.pressure is \(value)")
                }
            }
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Files that come and go in groups without a word from inotify: those of controllers, and of pressure. With
/// `check` they do at once; with `watch` at the latest after `sync`, and at once for who writes by the union.
extension CgroupTests {
    private static let modes = ["check", "watch"]

    /// Writes to control files, by the layer or by the union.
    private struct Writer {
        let union: Union
        let mode: String

        func write(_ text: String, to file: TestPath) throws {
            try Sys.overwrite(file, text)
            let isByLayer = !file.text.hasPrefix(union.mount.text + "/")
            if isByLayer && mode == "watch" { try union.synchronize() }
        }

        func turn(_ controller: String, on isOn: Bool, in group: TestPath) throws {
            try write("\(isOn ? "+" : "-")\(controller)\n", to: group / "cgroup.subtree_control")
        }
    }

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
    static var controller: String? {
        guard let root = Machine.cgroup2, let text = try? Sys.text(root / "cgroup.controllers") else {
            return nil
        }
        return text.split(whereSeparator: \.isWhitespace).map(String.init).first
    }

    private static func isOn(_ controller: String, in group: TestPath) throws -> Bool {
        try Sys.text(group / "cgroup.subtree_control").split(whereSeparator: \.isWhitespace)
            .contains(controller[...])
    }

    /// Has children of the hierarchy's root have the controller.
    func withController(_ body: (String) throws -> Void) throws {
        let controller = try #require(Self.controller)
        let control = try #require(Machine.cgroup2) / "cgroup.subtree_control"
        let wasOn = try Self.isOn(controller, in: control.parent)
        if !wasOn { try Sys.overwrite(control, "+\(controller)\n") }
        defer { if !wasOn { try? Sys.overwrite(control, "-\(controller)\n") } }
        try body(controller)
    }

    @Test(.enabled(if: controller != nil, "needs a cgroup v2 controller"), arguments: modes)
    func controllersShow(mode: String) throws {
        try withController { try controllersShow($0, mode: mode) }
    }

    private func controllersShow(_ controller: String, mode: String) throws {
        try withCgroupUnion(.v2, options: ["coherence=\(mode)"]) { union, group throws in
            let writer = Writer(union: union, mode: mode)
            // `A` in two layers, `A/B` in one.
            try Sys.put(union["A/note"], "x")
            try Sys.unlink(union["A/note"])
            for round in 0..<5 {
                for isOn in [true, false] {
                    // By the lower and by the union in turn.
                    try writer.turn(controller, on: isOn, in: round % 2 == 0 ? group.path : union.mount)
                    try expectSame(union, group, in: ["", "A", "A/B"], "\(controller) \(isOn) in the root")
                    let files = try Sys.names(union["A"]).filter { $0.text.hasPrefix(controller + ".") }
                    #expect(files.isEmpty == !isOn)
                    guard isOn else { continue }
                    for file in files { #expect(!Sys.exists(union["A/B"] / file)) }
                    let kept = try Sys.open(union["A"] / (files.first ?? ""))
                    try writer.turn(controller, on: true, in: group.path / "A")
                    try expectSame(union, group, in: ["A", "A/B"], "\(controller) on in A")
                    for file in files { #expect(Sys.exists(union["A/B"] / file)) }
                    try writer.turn(controller, on: false, in: group.path / "A")
                    for file in files { #expect(!Sys.exists(union["A/B"] / file), "A/B/\(file)") }
                    try writer.turn(controller, on: false, in: group.path)
                    #expect(failure { _ = try kept.read(10, at: 0) } == Errno(rawValue: ENODEV))
                    for file in files { #expect(!Sys.exists(union["A"] / file), "A/\(file)") }
                }
            }
        }
    }

    static let hasPressure = Machine.cgroup2 != nil && Sys.exists("/proc/pressure/cpu")

    @Test(.enabled(if: hasPressure, "needs cgroup v2 with pressure stall information"), arguments: modes)
    func pressureFilesShow(mode: String) throws {
        try withCgroupUnion(.v2, options: ["coherence=\(mode)"]) { union, group throws in
            let writer = Writer(union: union, mode: mode)
            try #require(Sys.exists(group.path / "A/cgroup.pressure"))
            for round in 0..<6 {
                for (value, isThere) in [("0\n", false), ("1\n", true)] {
                    let root = round % 2 == 0 ? group.path : union.mount
                    try writer.write(value, to: root / "A/cgroup.pressure")
                    #expect(Sys.exists(union["A/cpu.pressure"]) == isThere)
                    #expect(try Sys.text(union["A/cgroup.pressure"]) == value)
                    #expect(try Sys.names(union["A"]).contains("cpu.pressure") == isThere)
                    try expectSame(union, group, in: ["A", "A/B"], "cgroup.pressure is \(value)")
                }
            }
        }
    }
}

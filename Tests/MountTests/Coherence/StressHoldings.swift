import Glibc
import SwitchTestKit
import SystemPackage

/// What users have in the mount while all around it changes: mounts, a working directory, an open directory. What
/// they are on is there all the time; only what backs it comes and goes (`StressKept`).
final class StressHoldings: Sendable {
    static let mounted: [TestPath] = ["kept/mount", "kept/deep/mount"]
    static let bound: TestPath = "kept/bound"
    static let stood: TestPath = "kept/stood"
    static let opened: TestPath = "kept/deep/opened"
    static let files: [TestPath] = ["f0", "f1", "f2", "f3"]
    /// Those whose layers come and go.
    static let leaves: [TestPath] = mounted + [stood, opened]

    /// Who stands where, for as long as it runs.
    private let child: Child
    private let handle: Handle
    private let mount: TestPath

    /// Makes what they are on in a layer.
    static func prepare(_ layer: TestPath) throws {
        for leaf in leaves { try Sys.makeDirectories(layer / leaf) }
        try Sys.put(layer / bound, "of the layer")
    }

    init(in mount: TestPath, _ scratch: Scratch) throws {
        self.mount = mount
        for place in Self.mounted {
            try Sys.mount("tmpfs", on: mount / place, type: "tmpfs", options: "mode=755")
            try Sys.put(mount / place / "mark", Self.text(place))
        }
        let source = scratch.root / "bound"
        try Sys.put(source, Self.text(Self.bound))
        try Sys.mount(source.text, on: mount / Self.bound, type: "none", flags: Flag.bind)
        child = try Child(["sleep", "36000"], directory: mount / Self.stood)
        handle = try Sys.open(mount / Self.opened, Flag.path | Flag.directory)
    }

    func close() {
        child.end()
        for place in Self.mounted + [Self.bound] { try? Sys.unmount(mount / place, lazily: true) }
    }

    private static func text(_ place: TestPath) -> String { "mounted on \(place)" }

    /// Paths at which the mounts show, and not what the layers hold.
    static func isCovered(_ path: TestPath) -> Bool { (mounted + [bound]).contains(path) }

    func mismatches(_ model: ShownTree) -> [Mismatch] {
        let marks = Self.mounted.map { ($0, $0 / "mark") } + [(Self.bound, Self.bound)]
        let mounts = marks.compactMap { place, mark in mismatch(of: place, showing: mark) }
        let held = [
            (Self.stood, TestPath("/proc/\(child.pid)/cwd")),
            (Self.opened, TestPath("/proc/self/fd/\(handle.descriptor)")),
        ]
        return mounts + held.flatMap { place, path in mismatches(of: place, by: path, model) }
    }

    private func mismatch(of place: TestPath, showing mark: TestPath) -> Mismatch? {
        let expected = Self.text(place)
        let shown: String
        do throws(Errno) {
            shown = try Sys.text(mount / mark)
        } catch {
            shown = error.name
        }
        if shown == expected, Machine.isMounted(mount / place) { return nil }
        return Mismatch(kind: .holding, path: place, shown: shown, expected: expected)
    }

    /// What one sees who holds a directory: itself, files in it, its listing.
    private func mismatches(of place: TestPath, by path: TestPath, _ model: ShownTree) -> [Mismatch] {
        let names = [(place, path / ".")] + Self.files.map { (place / $0, path / $0) }
        return names.compactMap { name, path in
            compare(name, "it", model.objects[name]) { () throws(Errno) in try ShownObject(at: path) }
        }
            + [
                compare(place, "its listing", model.listings[place]) { () throws(Errno) in
                    try Sys.list(path / ".").map { ShownEntry(name: $0.name, inode: $0.inode, kind: $0.kind) }
                        .sorted()
                }
            ].compactMap { $0 }
    }

    private func compare<Value: Equatable>(
        _ path: TestPath, _ what: String, _ expected: Value?, _ look: () throws(Errno) -> Value?
    ) -> Mismatch? {
        let shown: String
        do throws(Errno) {
            let value = try look()
            if value == expected { return nil }
            shown = value.map { "\($0)" } ?? "nothing"
        } catch {
            shown = error.name
        }
        return Mismatch(
            kind: .holding, path: path, shown: "\(what), to who holds it: \(shown)",
            expected: expected.map { "\($0)" } ?? "nothing")
    }
}

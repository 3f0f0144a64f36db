import Glibc
import SwitchTestKit
import SystemPackage

/// A layer, and what changes in it in ways of its own.
struct LiveLayer {
    /// The layer's root.
    var root: TestPath
    /// A file whose content changes; nil: there is none that a test may change.
    var content: Content?
    /// Makes something that wasn't there and says where; `remove` takes it away. nil: nobody can.
    var presence: Presence?

    struct Content {
        var file: TestPath
        /// What `write` writes, by turns.
        var values: [String]
        var write: (String) throws -> Void
    }

    struct Presence {
        var make: () throws -> TestPath
        var remove: () throws -> Void
    }

    /// Ordinary files, changed in `real`, which `shown` shows.
    static func files(_ real: TestPath, shown: TestPath? = nil) throws -> LiveLayer {
        try Sys.makeDirectory(real / "d")
        try Sys.put(real / "d/file", "0\n")
        return LiveLayer(
            root: shown ?? real,
            content: Content(file: "d/file", values: ["1\n", "two\n"]) { try Sys.put(real / "d/file", $0) },
            presence: Presence {
                try Sys.put(real / "d/new", "x")
                return "d/new"
            } remove: {
                try Sys.unlink(real / "d/new")
            })
    }

    static func directories(_ root: TestPath) throws -> LiveLayer {
        try Sys.makeDirectory(root / "d")
        return LiveLayer(root: root, content: nil, presence: directory(root, "d/new"))
    }

    static func group(_ group: Cgroup, file: TestPath, values: [String]) throws -> LiveLayer {
        let root = group.path
        try Sys.makeDirectory(root / "d")
        return LiveLayer(
            root: root,
            content: Content(file: "d" / file, values: values) { try Sys.overwrite(root / "d" / file, $0) },
            presence: directory(root, "d/new"))
    }

    private static func directory(_ root: TestPath, _ name: TestPath) -> Presence {
        Presence {
            try Sys.makeDirectory(root / name)
            return name
        } remove: {
            try Sys.removeDirectory(root / name)
        }
    }

    /// A process's own file, and other processes.
    static func process(_ root: TestPath, _ child: Child) -> LiveLayer {
        let file: TestPath = "\(child.pid)/oom_score_adj"
        var other: Child?
        return LiveLayer(
            root: root,
            content: Content(file: file, values: ["17\n", "500\n"]) { try Sys.overwrite("/proc" / file, $0) },
            presence: Presence {
                let new = try Child(["sleep", "600"])
                other = new
                return "\(new.pid)"
            } remove: {
                other?.end()
            })
    }

    /// How far a loop device of our own reads ahead, and what another one has while it is bound to a file.
    static func device(_ root: TestPath, _ device: LoopDevice, _ image: TestPath) -> LiveLayer {
        let file = "block" / device.name / "queue/read_ahead_kb"
        var other: LoopDevice?
        return LiveLayer(
            root: root,
            content: Content(file: file, values: ["64\n", "256\n"]) { try Sys.overwrite("/sys" / file, $0) },
            presence: Presence {
                let new = try LoopDevice(of: image)
                other = new
                return "block" / new.name / "loop/backing_file"
            } remove: {
                try other?.detach()
            })
    }

    /// Each FUSE filesystem has a directory there while it is mounted.
    static func debug(_ root: TestPath, _ scratch: Scratch) throws -> LiveLayer {
        let lower = try scratch.directory("other-lower")
        var other: Union?
        return LiveLayer(
            root: root, content: nil,
            presence: Presence {
                let new = try Union(in: scratch, name: "other", upper: nil, lowers: [lower])
                other = new
                // All of them are on devices 0:N.
                let device = try Sys.facts(new.mount).device
                return "bdi/0:\(device & 0xff | device >> 12 & 0xfff00)"
            } remove: {
                try other?.stop()
            })
    }

    static func trace(_ root: TestPath, instance: TestPath) -> LiveLayer {
        let file = instance / "tracing_on"
        return LiveLayer(
            root: root,
            content: Content(file: file, values: ["0\n", "1\n"]) { try Sys.overwrite(root / file, $0) },
            presence: directory(root, instance + "-other"))
    }
}

/// A loop device that goes with its last user.
final class LoopDevice {
    /// As in /dev.
    let name: TestPath
    private var isAttached = true

    init(of image: TestPath) throws {
        let path = try run("losetup", "--find", "--show", image.text).orThrow().output
        name = TestPath(path.filter { $0 != "\n" }).name
    }

    func detach() throws {
        guard isAttached else { return }
        isAttached = false
        try run("losetup", "--detach", "/dev/\(name)").orThrow()
    }

    deinit {
        try? detach()
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A filesystem as a lower, and something in it that anyone can change without the union.
enum LayerKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case ext4, tmpfs, ramfs, overlay
    case cgroup2, cgroup1, proc, sysfs, debugfs, tracefs, securityfs, bpf
    case mergerfs, sshfs, bindfs, switchfs

    var testDescription: String { rawValue }

    /// As `status` names it.
    var typeName: String {
        switch self {
        case .cgroup1: "cgroup"
        case .mergerfs, .sshfs, .bindfs, .switchfs: "fuse"
        default: rawValue
        }
    }

    /// Whether inotify tells of every change, or of what causes it.
    var isWatched: Bool { [.ext4, .tmpfs, .ramfs, .overlay].contains(self) || isOfCgroups }

    var isOfCgroups: Bool { self == .cgroup1 || self == .cgroup2 }

    /// Why it can't be tried here; nil: it can.
    private var obstacle: String? {
        func needs(_ has: Bool, _ what: String) -> String? { has ? nil : "needs \(what)" }
        switch self {
        case .ext4: return needs(Machine.hasLoopDevices, "loop devices and mkfs.ext4")
        case .overlay: return needs(Machine.hasOverlay, "overlayfs")
        case .cgroup2: return needs(Machine.cgroup2 != nil, "a cgroup v2 tree")
        case .cgroup1: return needs(Machine.cgroup1 != nil, "a cgroup v1 tree")
        case .sysfs: return needs(Machine.hasProgram("losetup"), "losetup")
        case .bpf, .debugfs, .tracefs, .securityfs:
            return needs(Machine.isRoot && Machine.knows(fileSystem: rawValue), rawValue)
        case .mergerfs, .bindfs: return needs(Machine.hasProgram(rawValue), rawValue)
        case .sshfs:
            return needs(
                Machine.hasProgram(rawValue) && Self.fileServer != nil, "sshfs and OpenSSH's sftp-server")
        default: return nil
        }
    }

    /// What this machine has; the rest is printed with the reason.
    static let available = allCases.filter { kind in
        guard let reason = kind.obstacle else { return true }
        print("\(kind) as a layer is skipped: \(reason)")
        return false
    }

    /// The far end of sshfs, which needs no network when it is started in ssh's place.
    private static var fileServer: TestPath? {
        ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server"]
            .first { Sys.exists($0) }
    }

    /// Runs `body` with a new filesystem of the kind.
    func withLayer<Result>(
        _ scratch: Scratch, _ body: (LiveLayer) throws -> Result
    ) throws -> Result {
        switch self {
        case .ext4: return try body(.files(scratch.ext4("layer")))
        case .tmpfs: return try body(.files(scratch.tmpfs("layer")))
        case .ramfs: return try body(.files(scratch.mount("ramfs", "layer", type: "ramfs")))
        case .overlay: return try body(.files(scratch.overlay("layer", lower: [:])))
        case .cgroup2:
            return try withCgroup(in: Machine.cgroup2, "layer") {
                try body(.group($0, file: "cgroup.max.depth", values: ["3\n", "14\n"]))
            }
        case .cgroup1:
            return try withCgroup(in: Machine.cgroup1, "layer") {
                try body(.group($0, file: "notify_on_release", values: ["1\n", "0\n"]))
            }
        case .proc:
            let child = try Child(["sleep", "600"])
            defer { child.end() }
            return try body(.process(scratch.proc("layer"), child))
        case .sysfs:
            let image = scratch.root / "device.img"
            try Sys.open(image, O_RDWR | O_CREAT).truncate(to: 1 << 20)
            let device = try LoopDevice(of: image)
            defer { try? device.detach() }
            return try body(.device(scratch.sysfs("layer"), device, image))
        case .debugfs: return try body(.debug(scratch.mount("debugfs", "layer", type: "debugfs"), scratch))
        case .tracefs:
            let root = try scratch.mount("tracefs", "layer", type: "tracefs")
            let instance: TestPath = "instances/switchfs-test-\(getpid())"
            try Sys.makeDirectory(root / instance)
            defer { try? Sys.removeDirectory(root / instance) }
            return try body(.trace(root, instance: instance))
        case .securityfs:
            let root = try scratch.mount("securityfs", "layer", type: "securityfs")
            return try body(LiveLayer(root: root, content: nil, presence: nil))
        case .bpf: return try body(.directories(scratch.bpf("layer")))
        case .mergerfs, .sshfs, .bindfs:
            let (real, shown) = (try scratch.directory("real"), try scratch.directory("layer"))
            try run(command(real, shown, scratch)).orThrow()
            return try body(.files(real, shown: shown))
        case .switchfs:
            let real = try scratch.directory("real")
            return try withUnion(
                in: scratch, name: "layer", upper: nil, lowers: [real], options: ["coherence=check"]
            ) { try body(.files(real, shown: $0.mount)) }
        }
    }

    /// Mounts a FUSE filesystem that shows `real`, and keeps nothing itself: what is tried is the union over it.
    private func command(_ real: TestPath, _ shown: TestPath, _ scratch: Scratch) throws -> [String] {
        switch self {
        case .mergerfs:
            let none = "cache.entry=0,cache.negative_entry=0,cache.attr=0,cache.readdir=false,cache.files=off"
            return ["mergerfs", "-o", none, real.text, shown.text]
        case .bindfs:
            return ["bindfs", "-o", "attr_timeout=0,entry_timeout=0", real.text, shown.text]
        default:
            let far = scratch.root / "far"
            try Sys.put(far, "#!/bin/sh\nexec \(Self.fileServer ?? "")\n", mode: 0o755)
            return [
                "sshfs", "-o", "dir_cache=no,direct_io,attr_timeout=0,entry_timeout=0",
                "-o", "ssh_command=\(far)", "nowhere:\(real)", shown.text,
            ]
        }
    }
}

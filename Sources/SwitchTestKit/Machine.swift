import Glibc

/// What this machine offers: the conditions under which tests run.
public enum Machine {
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    public static let isRoot = geteuid() == 0
    /// Mounts can be made here, by root with a FUSE device.
    public static let canMount = isRoot && Sys.exists("/dev/fuse")
    /// Ordinary users can mount, by fusermount3.
    public static let usersCanMount =
        canMount && hasProgram("fusermount3") && ((try? Sys.facts("/dev/fuse"))?.permissions ?? 0) & 6 == 6
    public static let hasLoopDevices =
        isRoot && Sys.exists("/dev/loop-control") && hasProgram("mkfs.ext4") && hasProgram("losetup")
    public static let hasBPF = isRoot && fileSystems.contains("bpf")
    public static let hasOverlay = isRoot && fileSystems.contains("overlay")

    /// Where a cgroup v2 tree is mounted, if it can be written.
    public static let cgroup2 = isRoot ? mounts.first { $0.type == "cgroup2" }?.path : nil
    /// Where a cgroup v1 tree is mounted in which groups need no set-up, if it can be written.
    public static let cgroup1: TestPath? =
        isRoot
        ? ["pids", "freezer", "name=systemd", "cpuacct", "devices"].compactMap { wanted in
            mounts.first { $0.type == "cgroup" && $0.options.split(separator: ",").contains(wanted[...]) }?
                .path
        }.first : nil

    public static func hasProgram(_ name: String) -> Bool {
        program(name) != nil
    }

    /// The program's path, searched where programs for root are, too.
    public static func program(_ name: String) -> String? {
        let path = environment("PATH") ?? ""
        var folders = path.split(separator: ":").map(String.init)
        folders += ["/usr/sbin", "/sbin"]
        for folder in folders {
            let candidate = folder + "/" + name
            if failure(of: { try Sys.access(TestPath(candidate), X_OK) }) == nil { return candidate }
        }
        return nil
    }

    /// The switchfs program: `SWITCHFS_BINARY`, or the one built beside these tests.
    public static let binary = environment("SWITCHFS_BINARY") ?? built("switchfs")

    /// A program of this package, built beside these tests.
    public static func built(_ name: String) -> String {
        let tests = (try? Sys.readLink("/proc/self/exe")) ?? ""
        return (tests.parent / TestPath(name)).text
    }

    public struct MountEntry: Sendable {
        public var path: TestPath
        public var type: String
        public var source: String
        /// The superblock's options.
        public var options: String
    }

    /// What is mounted now, in the order of mounting.
    public static var mounts: [MountEntry] { mounts(of: "self") }

    /// The same in the namespace of a process.
    public static func mounts(of process: String) -> [MountEntry] {
        let text = (try? Sys.text("/proc" / TestPath(process) / "mountinfo")) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), fields.count >= dash + 4 else { return nil }
            return MountEntry(
                path: TestPath(fields[4]), type: fields[dash + 1], source: fields[dash + 2],
                options: fields[dash + 3])
        }
    }

    public static func isMounted(_ path: TestPath) -> Bool {
        mounts.contains { $0.path == path }
    }

    /// Whether the kernel knows filesystems of that type now.
    public static func knows(fileSystem type: String) -> Bool { fileSystems.contains(type) }

    private static let fileSystems: Set<String> = {
        let text = (try? Sys.text("/proc/filesystems")) ?? ""
        return Set(text.split(separator: "\n").compactMap { $0.split(separator: "\t").last.map(String.init) })
    }()
}

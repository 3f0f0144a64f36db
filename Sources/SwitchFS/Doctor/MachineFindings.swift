import FuseServer
import Glibc
import LinuxSystem
import SystemPackage

/// What doesn't depend on layers.
enum MachineFindings {
    static func all(_ passthrough: MountStatus.Passthrough) -> [DoctorReport.Finding] {
        [
            kernel(), device(), privileges(), passthroughFinding(passthrough), watches(), instances(),
            openFiles(),
        ]
    }

    private static func kernel() -> DoctorReport.Finding {
        let release = SmallFile.text("/proc/sys/kernel/osrelease") ?? "unknown"
        let numbers = release.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count >= 2 else { return .init("kernel", .warning, release) }
        // FUSE passthrough came with Linux 6.9.
        let isNew = (numbers[0], numbers[1]) >= (6, 9)
        return .init(
            "kernel", isNew ? .ok : .warning, isNew ? release : "\(release): passthrough needs 6.9 or newer")
    }

    private static func device() -> DoctorReport.Finding {
        do throws(Errno) {
            _ = try FuseDevice.open()
            return .init("/dev/fuse", .ok, "can be opened")
        } catch {
            return .init("/dev/fuse", .problem, FuseDevice.explain(error))
        }
    }

    private static func privileges() -> DoctorReport.Finding {
        if Capabilities.hasEffective(.sysAdmin), isInUserNamespace {
            return .init(
                "privileges", .warning,
                "root of a user namespace: mounts by itself, for that namespace's users; no passthrough, no "
                    + "attributes below trusted. and no device files, in whose place user. ones and empty files "
                    + "serve; callers whose ids it has no number for are refused")
        }
        if Capabilities.hasEffective(.sysAdmin) {
            return .init("privileges", .ok, "CAP_SYS_ADMIN: mounts by itself, for all users")
        }
        guard let helper = find("fusermount3") else {
            return .init("privileges", .problem, "none, and no fusermount3 to mount with: install fuse3")
        }
        return .init(
            "privileges", .warning,
            "none: mounts by \(helper), for this user alone unless /etc/fuse.conf has user_allow_other; "
                + "no passthrough, no attributes below trusted. and no device files, in whose place user. ones "
                + "and empty files serve; for every caller, layers are used with this user's rights")
    }

    /// The first user namespace maps every id to itself.
    private static var isInUserNamespace: Bool {
        guard let map = SmallFile.text("/proc/self/uid_map") else { return false }
        return map.split { $0 == " " || $0 == "\n" } != ["0", "0", "4294967295"]
    }

    private static func passthroughFinding(_ state: MountStatus.Passthrough) -> DoctorReport.Finding {
        state.enabled
            ? .init("passthrough", .ok, "tried: the kernel agrees, depth \(state.depth)")
            : .init("passthrough", .warning, state.reason)
    }

    /// A watch is taken for each directory of which anything is cached.
    private static func watches() -> DoctorReport.Finding {
        limit("inotify watches", "/proc/sys/fs/inotify/max_user_watches", enough: 65536)
    }

    private static func instances() -> DoctorReport.Finding {
        limit("inotify instances", "/proc/sys/fs/inotify/max_user_instances", enough: 64)
    }

    private static func limit(_ name: String, _ path: String, enough: Int) -> DoctorReport.Finding {
        guard let value = SmallFile.number(path) else {
            return .init(name, .warning, "\(path) can't be read")
        }
        if value >= enough { return .init(name, .ok, "\(value) for each user") }
        let setting = path.dropFirst("/proc/sys/".count).replacing("/", with: ".")
        return .init(name, .warning, "\(value) for each user; more: sysctl \(setting)=\(enough)")
    }

    private static func openFiles() -> DoctorReport.Finding {
        guard let (soft, hard) = try? ResourceLimits.raiseOpenFiles() else {
            return .init("open files", .warning, "the limit can't be read")
        }
        let text = "at most \(max(soft, hard)) in a mount"
        return max(soft, hard) >= 4096
            ? .init("open files", .ok, text)
            : .init("open files", .warning, "\(text); raise the hard limit: ulimit -Hn")
    }

    /// Where a server would be that is started from here.
    static func cgroup(_ layers: [MountStatus.Layer]) -> DoctorReport.Finding {
        let cgroups = ServerCgroups.all(layers)
        let place = StatusText.cgroup(cgroups) ?? "none"
        let warnings = ServerCgroups.warnings(cgroups)
        if warnings.isEmpty { return .init("cgroup", .ok, place) }
        return .init("cgroup", .warning, ([place] + warnings).joined(separator: "; "))
    }

    private static func find(_ program: String) -> String? {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }.first { candidate in
            unsafe access(candidate, X_OK) == 0
        }
    }
}

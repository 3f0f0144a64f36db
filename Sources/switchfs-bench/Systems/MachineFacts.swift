import Glibc
import SwitchTestKit

/// What was measured on, for reports.
enum MachineFacts {
    static var kernel: String { line("/proc/sys/kernel/osrelease") }

    static var load: String {
        line("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " ")
    }

    static var processors: Int { max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) }

    static var memoryMegabytes: Int {
        let text = (try? Sys.text("/proc/meminfo")) ?? ""
        let total = text.split(separator: "\n").first { $0.hasPrefix("MemTotal:") } ?? ""
        return (total.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
    }

    /// The type of the file system that a path is on.
    static func fileSystem(of path: TestPath) -> String {
        let above = Machine.mounts.filter { mount in
            mount.path == "/" || path == mount.path || path.bytes.starts(with: (mount.path + "/").bytes)
        }
        return above.max { $0.path.bytes.count < $1.path.bytes.count }?.type ?? "unknown"
    }

    /// The day, as 2026-01-31.
    static var date: String {
        var seconds = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        return unsafe [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
            .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: "-")
    }

    private static func line(_ path: TestPath) -> String {
        ((try? Sys.text(path)) ?? "unknown").split(separator: "\n").first.map(String.init) ?? ""
    }
}

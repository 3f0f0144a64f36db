import UnionCore

/// A mount's status for people: `switchfs status`, and the log on SIGUSR1.
public enum StatusText {
    /// The status's lines, without line ends.
    public static func lines(_ status: MountStatus) -> [String] {
        var lines = ["\(status.mountpoint)  (switchfs \(status.version), pid \(status.pid))", "", "layers"]
        let width = status.layers.map(\.path.count).max() ?? 0
        for layer in status.layers {
            let path = layer.path.padded(to: width)
            lines.append(
                "  \(layer.index)  \(layer.role.rawValue)  \(layer.access.rawValue)  \(path)  "
                    + "\(layer.filesystem), \(layer.coherence.mode.rawValue): \(layer.coherence.reason)"
                    + (layer.error.map { "; fails: \($0)" } ?? ""))
        }
        lines.append("  union  " + union(status))
        for layer in status.layers {
            guard let change = layer.root else { continue }
            lines.append("warning      " + NoticeText.root(layer.index, layer.path, change))
        }
        let passthrough = status.passthrough
        lines.append("")
        lines.append(
            passthrough.enabled
                ? "passthrough  on, depth \(passthrough.depth): \(passthrough.reason)"
                : "passthrough  off: \(passthrough.reason)")
        lines.append("cgroup       " + (cgroup(status.cgroups) ?? "not known"))
        lines.append(contentsOf: ServerCgroups.warnings(status.cgroups).map { "warning      \($0)" })
        lines.append(contentsOf: counters(status.counters))
        lines.append(contentsOf: openFiles(status.openFiles))
        return lines
    }

    /// What the kernel keeps of the union as a whole, and by which layers' doing.
    private static func union(_ status: MountStatus) -> String {
        let mode = status.coherence
        let causes = status.layers.filter { $0.coherence.mode == mode }.map { "\($0.index)" }
        let layers = causes.count == 1 ? "layer \(causes[0])" : "layers \(causes.joined(separator: ", "))"
        switch mode {
        case .check: return "check, by \(layers): nothing is kept"
        case .ttl: return "ttl, by \(layers): names and attributes are kept for a time"
        case .watch: return "watch: names, attributes and listings are kept until they change"
        case .static: return "static: everything is kept"
        }
    }

    /// Where the server is: in version 2, and wherever it isn't in the root.
    static func cgroup(_ cgroups: [MountStatus.Cgroup]) -> String? {
        let told = cgroups.filter { $0.hierarchy.isEmpty || $0.path != "/" }
        if told.isEmpty { return cgroups.first?.name }
        return told.reversed().map(\.name).joined(separator: " ")
    }

    private static func counters(_ counters: MountStatus.Counters) -> [String] {
        let numbers = [
            ("nodes", counters.nodes), ("listings", counters.listings), ("watches", counters.watches),
            ("watches given back", counters.givenBackWatches),
            ("events", counters.events), ("overflows", counters.overflows),
            ("invalidations", counters.invalidations),
            ("degraded directories", counters.degradedDirectories), ("backing files", counters.backingFiles),
        ]
        let line = numbers.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return ["counters     \(line)"] + tally("requests", counters.requests)
            + tally("errors", counters.errors)
    }

    /// The most frequent first.
    private static func tally(_ title: String, _ counts: [String: UInt64]) -> [String] {
        guard !counts.isEmpty else { return [] }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return [title.padded(to: 13) + sorted.map { "\($0.key) \($0.value)" }.joined(separator: ", ")]
    }

    private static func openFiles(_ files: [MountStatus.OpenFile]) -> [String] {
        guard !files.isEmpty else { return ["open files   none"] }
        return ["", "open files"]
            + files.map { file in
                "  \(file.path)  \(file.io.rawValue), \(file.handles) "
                    + (file.handles == 1 ? "handle" : "handles") + ", layer \(file.layer): \(file.realPath)"
            }
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

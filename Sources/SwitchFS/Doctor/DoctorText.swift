/// A doctor's report for people: what `switchfs doctor` prints.
public enum DoctorText {
    /// The report's lines, without line ends.
    public static func lines(_ report: DoctorReport) -> [String] {
        let width = report.machine.map(\.name.count).max() ?? 0
        var lines = report.machine.map { finding in
            "\(mark(finding.state))  \(finding.name.padded(to: width))  \(finding.text)"
        }
        for plan in report.layers {
            let layer = plan.layer
            lines.append("")
            lines.append(
                "layer \(layer.index), \(layer.role.rawValue), \(layer.access.rawValue): \(layer.path)")
            lines.append("  filesystem   \(layer.filesystem)")
            lines.append("  coherence    \(layer.coherence.mode.rawValue): \(layer.coherence.reason)")
            lines.append(
                "  passthrough  \(plan.passthrough.enabled ? "yes" : "no"): \(plan.passthrough.reason)")
        }
        if let whiteout = report.whiteout {
            lines.append("")
            lines.append("whiteouts  \(whiteout)")
        }
        lines.append("")
        lines.append(report.canMount ? "switchfs can mount here." : "switchfs can't mount here; see above.")
        return lines
    }

    private static func mark(_ state: DoctorReport.Finding.State) -> String {
        switch state {
        case .ok: "ok     "
        case .warning: "warning"
        case .problem: "problem"
        }
    }
}

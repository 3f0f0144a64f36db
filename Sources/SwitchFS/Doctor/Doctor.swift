import LayerWatch
import LinuxSystem
import SystemPackage
import UnionCore

/// Looks at what this machine offers, and at what the layers of a planned mount will get. Changes nothing that
/// stays.
public enum Doctor {
    /// Examines this machine for this process's user. `plan`: the options of a mount and, where it is known, its mount point.
    ///
    /// Tries passthrough by a mount of its own in `/tmp`, which is gone when this returns. What stands in the way of a mount
    /// is in the report. Throws ``MountError`` where the plan itself won't do, as ``MountRequest`` does.
    public static func examine(
        _ plan: (options: MountOptions, mountPoint: String?)? = nil
    ) throws(MountError) -> DoctorReport {
        let passthrough = PassthroughProbe.run(plan?.options)
        var report = DoctorReport(
            canMount: true, machine: MachineFindings.all(passthrough), layers: [], whiteout: nil)
        report.canMount = !report.machine.contains { $0.state == .problem }
        if let plan { try add(plan.options, plan.mountPoint, passthrough, to: &report) }
        report.machine.append(MachineFindings.cgroup(report.layers.map(\.layer)))
        return report
    }

    private static func add(
        _ options: MountOptions, _ mountPoint: String?, _ passthrough: MountStatus.Passthrough,
        to report: inout DoctorReport
    ) throws(MountError) {
        // The root stands in for a mount point that isn't given: it is in no layer but "/" itself.
        let request = try MountRequest(options, at: mountPoint ?? "/")
        let union: Union
        do throws(UnionOpenError) {
            union = try Union(configuration: request.configuration, backing: nil, watcher: try? Watcher())
        } catch {
            throw .failure(error.description)
        }
        report.layers = union.layerStatuses.map { layer in
            DoctorReport.LayerPlan(
                layer: MountStatus.Layer(layer, isUnionReadOnly: options.policies.readOnly),
                passthrough: LayerPassthrough.plan(layer, passthrough))
        }
        report.whiteout = WhiteoutPlan.text(options, union.layerStatuses.first)
    }
}

/// Whether a layer's files will pass through.
private enum LayerPassthrough {
    /// Their files act by who opens, reads or writes them.
    private static let pseudo: Set<String> = [
        "proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "bpf", "securityfs", "configfs",
        "efivarfs", "pstore", "selinuxfs", "smackfs", "binfmt_misc", "fusectl", "resctrl", "nsfs", "mqueue",
        "nfsd", "rpc_pipefs", "functionfs", "xenfs",
    ]

    static func plan(
        _ layer: LayerStatus, _ machine: MountStatus.Passthrough
    ) -> DoctorReport.LayerPlan.Passthrough {
        if pseudo.contains(layer.filesystem) {
            return .init(
                enabled: false,
                reason: "files of \(layer.filesystem) act by who uses them: served by requests")
        }
        guard machine.enabled else { return .init(enabled: false, reason: machine.reason) }
        return .init(enabled: true, reason: "ordinary files are read and written by the kernel itself")
    }
}

private enum WhiteoutPlan {
    static func text(_ options: MountOptions, _ top: LayerStatus?) -> String? {
        guard let top, top.isUpper else { return nil }
        if options.policies.whiteout == .off { return "none: whiteout=off" }
        if top.isReadOnly || options.policies.readOnly { return "none: the upper is read-only" }
        if top.filesystem == "bpf" { return "symbolic links, on bpf" }
        return Capabilities.hasEffective(.makeNode)
            ? "character devices 0:0, as overlayfs makes them"
            : "empty files with overlayfs's whiteout attribute: this user may make no devices"
    }
}

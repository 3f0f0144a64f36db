import LinuxSystem
import Logging
import SystemPackage

/// Whether the kernel agrees on passthrough: asked by a real mount, of an empty directory or of the planned
/// layers, on a directory of its own that is gone afterwards.
enum PassthroughProbe {
    static func run(_ planned: MountOptions?) -> MountStatus.Passthrough {
        if planned?.passthrough == .off { return off("passthrough=off was given") }
        guard Capabilities.hasEffective(.sysAdmin) else {
            return off("the server needs CAP_SYS_ADMIN, which this user lacks")
        }
        let scratch = "/tmp/switchfs-doctor-\(ServerIdentity.pid)"
        let (lower, mountPoint) = (scratch + "/lower", scratch + "/mount")
        do throws(MountError) {
            for path in [scratch, lower, mountPoint] { try make(path) }
            defer { for path in [mountPoint, lower, scratch] { remove(path) } }
            var options = planned ?? MountOptions(lowers: [lower])
            options.passthrough = .auto
            options.allowOther = false
            let quiet = Logger(label: "switchfs.doctor") { _ in SwiftLogNoOpLogHandler() }
            let mount = try SwitchMount(options, at: mountPoint, logger: quiet)
            defer { mount.unmount() }
            return mount.status.passthrough
        } catch {
            return off("not known, no mount could be tried: \(error.message)")
        }
    }

    private static func off(_ reason: String) -> MountStatus.Passthrough {
        MountStatus.Passthrough(enabled: false, depth: 0, reason: reason)
    }

    private static func make(_ path: String) throws(MountError) {
        let name = OwnedName(path)
        do {
            try FileDescriptor.workingDirectory.makeDirectory(at: name.ref, mode: 0o700)
        } catch {
            throw .failure("\(path): \(error)")
        }
    }

    private static func remove(_ path: String) {
        let name = OwnedName(path)
        try? FileDescriptor.workingDirectory.removeDirectory(at: name.ref)
    }
}

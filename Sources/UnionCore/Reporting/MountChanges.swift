internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Filesystems that are mounted inside layers belong to them, and inotify says nothing of mounts. When the
// table of mounts changes, the kernel drops everything that may have to do with it. Most changes are
// elsewhere on the machine.

extension Reporting {
    /// Notes that a look went through a mount point, before its answer is reported. True for the first such
    /// look: it must be made again, as the mount may have gone before it was noted.
    func noteMounts(_ lookup: NameLookup) -> Bool {
        let isInside = lookup.visible.contains { $0.status.mountID != $0.layer.rootStatus.mountID }
        guard isInside, !coherence.hasMountsInside.load(ordering: .relaxed) else { return false }
        return !coherence.hasMountsInside.exchange(true, ordering: .sequentiallyConsistent)
    }

    /// Whether a change of the table of mounts can have changed what a layer shows. It can if something is
    /// mounted inside a layer now, or if any look has gone through a mount point.
    var concernsMounts: Bool {
        if coherence.hasMountsInside.load(ordering: .sequentiallyConsistent) { return true }
        guard let mounts = try? MountInfo.all() else { return true }
        let roots = stack.layers.map { $0.root.descriptor.pathPrefix }
        return roots.contains { root in mounts.contains { $0.mountPoint.starts(with: root) } }
    }
}

import LinuxSystem
import SystemPackage

/// In which cgroups this process is, and which of them can be acted on through layers.
enum ServerCgroups {
    static func all(_ layers: [MountStatus.Layer]) -> [MountStatus.Cgroup] {
        let places = layers.compactMap { layer in
            HierarchyPlace(of: layer.path, in: hierarchies).map { (index: layer.index, place: $0) }
        }
        let lines = SmallFile.text("/proc/self/cgroup")?.split(separator: "\n") ?? []
        return lines.compactMap { line -> MountStatus.Cgroup? in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            let (name, path) = (String(parts[1]), String(parts[2]))
            let holder = places.first { $0.place.isOf(name) && $0.place.holds(path) }
            return MountStatus.Cgroup(hierarchy: name, path: path, layer: holder?.index)
        }
    }

    /// A line for each cgroup that a layer of the mount leads to.
    static func warnings(_ cgroups: [MountStatus.Cgroup]) -> [String] {
        cgroups.compactMap { cgroup in
            cgroup.layer.map { layer in
                "the server's cgroup \(cgroup.name) is in layer \(layer): who may write there can freeze, kill or limit "
                    + "the server through its own mount; start it in a cgroup outside"
            }
        }
    }

    private static var hierarchies: [MountInfo] {
        ((try? MountInfo.all()) ?? []).filter { ["cgroup", "cgroup2"].contains($0.fileSystemType) }
    }
}

extension MountStatus.Cgroup {
    /// As people write it.
    var name: String { hierarchy.isEmpty ? path : "\(hierarchy):\(path)" }
}

/// Which group a layer's directory is.
private struct HierarchyPlace {
    private let options: [String]
    private let isUnified: Bool
    private let path: String

    /// nil: it is none.
    init?(of directory: String, in mounts: [MountInfo]) {
        let holders = mounts.filter { directory.isAt($0.mountPointString) }
        guard let mount = holders.max(by: { $0.mountPoint.count < $1.mountPoint.count }) else { return nil }
        let root = mount.rootString == "/" ? "" : mount.rootString
        isUnified = mount.fileSystemType == "cgroup2"
        options = mount.superOptions.split(separator: ",").map(String.init)
        path = root + directory.dropFirst(mount.mountPointString.count)
    }

    /// `name`: controllers, or "name=NAME", or nothing for cgroup2, as /proc/self/cgroup has it.
    func isOf(_ name: String) -> Bool {
        name.isEmpty
            ? isUnified : !isUnified && name.split(separator: ",").allSatisfy { options.contains(String($0)) }
    }

    func holds(_ group: String) -> Bool { path.isEmpty || group.isAt(path) }
}

extension String {
    /// Whether the path is `directory` or below it.
    fileprivate func isAt(_ directory: String) -> Bool {
        self == directory || hasPrefix(directory == "/" ? directory : directory + "/")
    }
}

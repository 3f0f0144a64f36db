import LinuxSystem
import SystemPackage

/// The mounts of this process's namespace, for walking up from a directory in every way that leads to it.
struct MountTable {
    let mounts: [MountInfo]

    /// The mounts as they are now; none where /proc can't be read.
    static func current() -> MountTable {
        MountTable(mounts: (try? MountInfo.all()) ?? [])
    }

    /// Who holds a directory: its parents up to the root, and where a bind mount shows just a part of a
    /// filesystem, the parents of that part where another mount shows them.
    func ancestors(of directory: FileDescriptor) -> Set<DirectoryIdentity> {
        var walk = AncestorWalk(table: self)
        walk.up(from: directory)
        return walk.found
    }

    func mount(_ id: UInt64) -> MountInfo? {
        mounts.first { $0.id == id }
    }

    /// Paths that show the root of this mount inside a larger part of its filesystem.
    func widerPaths(of mount: MountInfo) -> [[UInt8]] {
        mounts.compactMap { other in
            guard other.deviceMajor == mount.deviceMajor, other.deviceMinor == mount.deviceMinor,
                let rest = Self.relative(mount.root, to: other.root)
            else { return nil }
            return other.mountPoint + Self.slash + rest
        }
    }

    /// What is left of `path` below `directory`, at a component's border.
    static func relative(_ path: [UInt8], to directory: [UInt8]) -> ArraySlice<UInt8>? {
        let prefix = directory.last == slash.first ? directory : directory + slash
        guard path.count > prefix.count, path.starts(with: prefix) else { return nil }
        return path[prefix.count...]
    }

    private static let slash = [UInt8(ascii: "/")]
}

private struct AncestorWalk {
    let table: MountTable
    var found: Set<DirectoryIdentity> = []
    private var seenMounts: Set<UInt64> = []

    init(table: MountTable) {
        self.table = table
    }

    /// Adds every parent. Where one can't be opened, the walk ends: what can't be seen can't be compared.
    mutating func up(from directory: FileDescriptor) {
        guard var child = try? directory.status(),
            var current = try? directory.openPlain("..", flags: [.path, .directory])
        else { return }
        while let parent = try? current.descriptor.status() {
            let isRoot = parent.mountID == child.mountID && parent.inode == child.inode
            if isRoot || parent.mountID != child.mountID { aside(of: child) }
            if isRoot { return }
            found.insert(DirectoryIdentity(parent))
            child = parent
            guard let next = try? current.descriptor.openPlain("..", flags: [.path, .directory]) else {
                return
            }
            current = next
        }
    }

    /// `child` is the root of its mount: go on where the same directory stands in a wider mount.
    private mutating func aside(of child: FileStatus) {
        guard seenMounts.insert(child.mountID).inserted, let mount = table.mount(child.mountID) else {
            return
        }
        for path in table.widerPaths(of: mount) {
            let name = OwnedName(path)
            guard
                let other = try? FileDescriptor.workingDirectory.openPlain(
                    name.ref, flags: [.path, .directory]),
                let status = try? other.descriptor.status(),
                DirectoryIdentity(status) == DirectoryIdentity(child)
            else { continue }
            up(from: other.descriptor)
        }
    }
}

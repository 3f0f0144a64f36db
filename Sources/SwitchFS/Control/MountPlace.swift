import LinuxSystem
import SystemPackage

/// A switchfs mount as the mount table has it.
struct MountPlace: Sendable, Equatable {
    static let fileSystemType = "fuse.switchfs"

    /// Where it is mounted.
    let path: String
    let major: UInt32
    let minor: UInt32
    /// The uid that mounted it.
    let owner: UInt32

    init(path: String, major: UInt32, minor: UInt32, owner: UInt32) {
        self.path = path
        self.major = major
        self.minor = minor
        self.owner = owner
    }

    init?(_ mount: MountInfo) {
        guard mount.fileSystemType == Self.fileSystemType else { return nil }
        path = mount.mountPointString
        major = mount.deviceMajor
        minor = mount.deviceMinor
        owner = Self.owner(in: mount.superOptions)
    }

    private static func owner(in options: String) -> UInt32 {
        for option in options.split(separator: ",") where option.hasPrefix("user_id=") {
            return UInt32(option.dropFirst("user_id=".count)) ?? 0
        }
        return 0
    }

    /// All of this namespace, in the order of mounting.
    static func all() throws(MountError) -> [MountPlace] {
        do {
            return try MountInfo.all().compactMap { MountPlace($0) }
        } catch {
            throw .failure("/proc/self/mountinfo: \(error)")
        }
    }

    /// The mount at this very path; the topmost where several are stacked.
    static func at(_ given: String) throws(MountError) -> MountPlace {
        let mounts = try all()
        for path in CommandPath.candidates(given) {
            if let place = mounts.last(where: { $0.path == path }) { return place }
        }
        throw .failure("\(given): no switchfs mount; switchfs list shows those there are")
    }

    /// The mount that a path is in, and the path from that mount's root.
    static func holding(_ given: String) throws(MountError) -> (place: MountPlace, path: String) {
        let mounts = try all()
        for path in CommandPath.candidates(given) {
            let holders = mounts.filter { path == $0.path || path.hasPrefix($0.prefix) }
            // The longest; of those at one path the last one.
            guard
                let place = holders.enumerated().max(by: {
                    ($0.1.path.utf8.count, $0.0) < ($1.1.path.utf8.count, $1.0)
                })
            else { continue }
            return (place.element, String(path.dropFirst(place.element.prefix.count)))
        }
        throw .failure("\(given): not in a switchfs mount; switchfs list shows those there are")
    }

    private var prefix: String { path == "/" ? path : path + "/" }
}

extension MountPlace {
    /// The mount at a real path, the last one mounted there.
    static func newest(at path: String) -> MountPlace? {
        (try? all())?.last { $0.path == path }
    }
}

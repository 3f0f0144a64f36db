internal import LinuxSystem
internal import SystemPackage

/// A layer's root as the union was given it: the path, and the directory that was there.
public struct LayerRoot: Sendable {
    public let layer: Int
    /// The absolute path.
    public let path: String
    private let inode: UInt64
    private let device: UInt64
    private let mountID: UInt64

    init(_ layer: Layer) {
        self.layer = layer.index
        path = layer.path
        inode = layer.rootStatus.inode
        device = layer.rootStatus.device
        mountID = layer.rootStatus.mountID
    }

    /// The path's last name.
    public var name: String { path.split(separator: "/").last.map(String.init) ?? "" }

    /// Looks where the path leads now.
    public func look() -> RootLook {
        let name = OwnedName(path)
        do throws(Errno) {
            let status = try FileDescriptor.workingDirectory.status(
                at: name.ref, mask: [.type, .inode, .mountID], flags: [.noAutomount, .dontSync])
            if status.inode == inode, status.device == device, status.mountID == mountID { return .asGiven }
            return .changed(status.mountID == mountID ? .replaced : .covered)
        } catch .noSuchFileOrDirectory, .notDirectory {
            return .changed(.gone)
        } catch {
            return .unknown
        }
    }
}

/// Where the path of a layer's root leads.
public enum RootLook: Equatable, Sendable {
    case asGiven
    case changed(RootChange)
    /// The way there fails.
    case unknown
}

/// What has become of the path of a layer's root.
public enum RootChange: String, Sendable {
    /// Nothing has that name.
    case gone
    /// Another directory has that name.
    case replaced
    /// Something is mounted there.
    case covered
}

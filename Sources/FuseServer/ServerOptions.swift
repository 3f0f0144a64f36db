public import LinuxSystem

/// What a mount is to be like, as far as the union itself doesn't know.
///
/// Permissions are always checked by the kernel (`default_permissions`).
public struct ServerOptions: Sendable {
    /// Absolute path of the directory to mount on.
    public var mountPoint: String
    /// The mount's source, as mount(8) shows it.
    public var name = "switchfs"
    /// Others than the mounting user get in.
    public var allowOther = false
    public var flags: MountFlags = [.noSetUser, .noDevices]
    public var passthrough = PassthroughMode.auto
    public var polling = PollingMode.auto
    /// Logs every request.
    public var debug = false

    public init(mountPoint: String) {
        self.mountPoint = mountPoint
    }
}

/// Whether the kernel itself reads and writes ordinary files.
public enum PassthroughMode: String, Sendable, CaseIterable {
    /// Where it can be had.
    case auto
    case off
    /// No mount without it.
    case require
}

/// Whether threads look for the next request for a moment before they sleep.
public enum PollingMode: String, Sendable, CaseIterable {
    case auto, off
}

/// Why a mount could not be made or kept: one line, what is wrong and what to do.
public struct SessionError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

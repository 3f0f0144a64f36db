/// One switchfs mount of this machine, as `switchfs list` shows it.
///
/// The names in its JSON are stable: later versions add names and take none away.
public struct MountListing: Codable, Sendable, Equatable {
    /// Where it is mounted: absolute, links resolved.
    public var mountpoint: String
    /// The process that serves it, by its number in this process's pid namespace; nil: nobody answers for it, or not to
    /// this user.
    public var pid: Int32?
    /// The layers' paths, top to bottom; empty where `pid` is nil.
    public var layers: [String]

    /// A listing of these parts; see them.
    public init(mountpoint: String, pid: Int32?, layers: [String]) {
        self.mountpoint = mountpoint
        self.pid = pid
        self.layers = layers
    }

    private enum CodingKeys: String, CodingKey {
        case mountpoint, pid, layers
    }

    /// As synthesized, but for `pid`: it is always there, null when unknown. Throws what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(mountpoint, forKey: .mountpoint)
        try values.encode(pid, forKey: .pid)
        try values.encode(layers, forKey: .layers)
    }
}

/// One switchfs mount of this machine, as `switchfs list` shows it. The JSON names are stable.
public struct MountListing: Codable, Sendable, Equatable {
    public var mountpoint: String
    /// nil: nobody answers for it, or not to this user.
    public var pid: Int32?
    /// The layers' paths, top to bottom; empty where `pid` is nil.
    public var layers: [String]

    public init(mountpoint: String, pid: Int32?, layers: [String]) {
        self.mountpoint = mountpoint
        self.pid = pid
        self.layers = layers
    }

    private enum CodingKeys: String, CodingKey {
        case mountpoint, pid, layers
    }

    /// As synthesized, but for `pid`: it is always there, null when unknown.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(mountpoint, forKey: .mountpoint)
        try values.encode(pid, forKey: .pid)
        try values.encode(layers, forKey: .layers)
    }
}

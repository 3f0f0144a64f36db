/// How a path resolves in a union and where changes to it would go, as `switchfs explain` shows it. The JSON
/// names are stable.
public struct Explanation: Codable, Sendable, Equatable {
    /// In the union, from its root.
    public var path: String
    /// `directory`, `file`, `symlink`, …; `absent`.
    public var kind: String
    /// The layer that gives data, attributes and inode number; nil when absent.
    public var owner: Int?
    /// Those that were looked at, top to bottom.
    public var layers: [Layer]
    public var create: Decision
    public var mkdir: Decision
    public var unlink: Decision
    public var rename: Decision

    public init(
        path: String, kind: String, owner: Int?, layers: [Layer], create: Decision, mkdir: Decision,
        unlink: Decision, rename: Decision
    ) {
        self.path = path
        self.kind = kind
        self.owner = owner
        self.layers = layers
        self.create = create
        self.mkdir = mkdir
        self.unlink = unlink
        self.rename = rename
    }

    public struct Layer: Codable, Sendable, Equatable {
        public var index: Int
        public var path: String
        /// `directory`, `file`, …, `whiteout`, `nothing`.
        public var found: String
        public var note: String

        public init(index: Int, path: String, found: String, note: String) {
            self.index = index
            self.path = path
            self.found = found
            self.note = note
        }
    }

    /// Where an operation would go, or the error that it would give; and why.
    public enum Decision: Sendable, Equatable {
        case goes(layer: Int, path: String, reason: String)
        case fails(error: String, reason: String)
    }
}

extension Explanation.Decision: Codable {
    private enum CodingKeys: String, CodingKey {
        case layer, path, error, reason
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let reason = try values.decode(String.self, forKey: .reason)
        if let error = try values.decodeIfPresent(String.self, forKey: .error) {
            self = .fails(error: error, reason: reason)
        } else {
            self = .goes(
                layer: try values.decode(Int.self, forKey: .layer),
                path: try values.decode(String.self, forKey: .path), reason: reason)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .goes(let layer, let path, let reason):
            try values.encode(layer, forKey: .layer)
            try values.encode(path, forKey: .path)
            try values.encode(reason, forKey: .reason)
        case .fails(let error, let reason):
            try values.encode(error, forKey: .error)
            try values.encode(reason, forKey: .reason)
        }
    }
}

extension Explanation {
    private enum CodingKeys: String, CodingKey {
        case path, kind, owner, layers, create, mkdir, unlink, rename
    }

    /// As synthesized, but for `owner`: it is always there, null when nobody owns the path.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(path, forKey: .path)
        try values.encode(kind, forKey: .kind)
        try values.encode(owner, forKey: .owner)
        try values.encode(layers, forKey: .layers)
        try values.encode(create, forKey: .create)
        try values.encode(mkdir, forKey: .mkdir)
        try values.encode(unlink, forKey: .unlink)
        try values.encode(rename, forKey: .rename)
    }
}

/// How a path resolves in a union and where changes to it would go, as `switchfs explain` shows it.
///
/// It is what was there at one moment: a plan, not a promise. The names in its JSON are stable: later versions add names
/// and take none away.
public struct Explanation: Codable, Sendable, Equatable {
    /// In the union, from its root.
    public var path: String
    /// What the union shows there.
    public var kind: Kind
    /// The number of the layer that gives data, attributes and inode number; nil: there is nothing.
    public var owner: Int?
    /// What each layer has there, top to bottom.
    public var layers: [Layer]
    /// Where a new file would go: one of this name, or one in it where it is a directory.
    public var create: Decision
    /// Where a new directory would go, likewise.
    public var mkdir: Decision
    /// Where it would be removed: the highest layer that changes.
    public var unlink: Decision
    /// Where it would be renamed: the layer that owns it.
    public var rename: Decision

    /// An explanation of these parts; see them.
    public init(
        path: String, kind: Kind, owner: Int?, layers: [Layer], create: Decision, mkdir: Decision,
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

    /// What a union shows at a path.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// A directory that one layer alone backs.
        case pure
        /// A directory that two or more layers back.
        case merged
        /// A directory that is marked as holding every entry itself.
        case complete
        /// A regular file.
        case file
        /// A symbolic link.
        case symlink
        /// A named pipe.
        case fifo
        /// A UNIX socket.
        case socket
        case characterDevice = "character device"
        case blockDevice = "block device"
        /// Nothing.
        case absent
        /// A layer fails that would have to be asked.
        case unknown
    }

    /// One layer's part.
    public struct Layer: Codable, Sendable, Equatable {
        /// The layer's number.
        public var index: Int
        /// The real path that was looked at.
        public var path: String
        /// What the layer has there.
        public var found: Found
        /// What that means for the union, for people; may be empty.
        public var note: String

        /// A finding of these parts; see them.
        public init(index: Int, path: String, found: Found, note: String) {
            self.index = index
            self.path = path
            self.found = found
            self.note = note
        }

        /// What a layer has at a path.
        public enum Found: String, Codable, Sendable, CaseIterable {
            case directory
            /// A regular file.
            case file
            /// A symbolic link.
            case symlink
            /// A named pipe.
            case fifo
            /// A UNIX socket.
            case socket
            case characterDevice = "character device"
            case blockDevice = "block device"
            /// A mark that hides the name in the layers below.
            case whiteout
            /// Nothing, or it wasn't looked at; the note says which.
            case nothing
        }
    }

    /// Where an operation would go, or the error that it would give. `reason` is for people.
    public enum Decision: Sendable, Equatable {
        /// To the layer of this number, at this real path.
        case goes(layer: Int, path: String, reason: String)
        /// Nowhere: it fails with the error of this name (`EROFS`).
        case fails(error: String, reason: String)
    }
}

extension Explanation.Decision: Codable {
    private enum CodingKeys: String, CodingKey {
        case layer, path, error, reason
    }

    /// Reads `error` and `reason`, or `layer`, `path` and `reason`. Throws `DecodingError` where one is missing.
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

    /// Writes what `init(from:)` reads. Throws what the encoder throws.
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

    /// As synthesized, but for `owner`: it is always there, null when nobody owns the path. Throws what the encoder throws.
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

/// What a mount is made of and what it does, as `switchfs status` shows it. The JSON names are stable.
public struct MountStatus: Codable, Sendable, Equatable {
    public var mountpoint: String
    public var pid: Int32
    public var version: String
    /// Top to bottom.
    public var layers: [Layer]
    public var passthrough: Passthrough
    public var counters: Counters
    public var openFiles: [OpenFile]
    /// Where the server is.
    public var cgroups: [Cgroup] = []

    private enum CodingKeys: String, CodingKey {
        case mountpoint, pid, version, layers, passthrough, counters, cgroups
        case openFiles = "open_files"
    }

    public struct Layer: Codable, Sendable, Equatable {
        public var index: Int
        public var role: Role
        public var path: String
        public var access: Access
        /// As `mount(8)` names it.
        public var filesystem: String
        public var coherence: Coherence
        /// With what the layer fails, in words; nil: it answers.
        public var error: String?
        /// `gone`, `replaced` or `covered`: what has become of the path since the mount; nil: it leads to the layer.
        public var root: String?

        public enum Role: String, Codable, Sendable { case upper, lower }
        public enum Access: String, Codable, Sendable { case rw, ro }
    }

    /// The server's group in one hierarchy.
    public struct Cgroup: Codable, Sendable, Equatable {
        /// The controllers of a version 1 hierarchy; empty for version 2.
        public var hierarchy: String
        public var path: String
        /// The layer that leads to it, whose users can act on the server.
        public var layer: Int?
    }

    /// How fresh a layer is shown, and why so.
    public struct Coherence: Codable, Sendable, Equatable {
        public var mode: String
        public var reason: String
    }

    /// Whether the kernel reads and writes ordinary files itself, and why (not).
    public struct Passthrough: Codable, Sendable, Equatable {
        public var enabled: Bool
        /// How many filesystems may be stacked: 1, 2; 0 when not enabled.
        public var depth: Int
        public var reason: String
    }

    public struct Counters: Codable, Sendable, Equatable {
        /// Requests served since the mount, by FUSE's names.
        public var requests: [String: UInt64] = [:]
        /// How many of them were answered with an error, by its name ("ENOENT").
        public var errors: [String: UInt64] = [:]
        public var events: UInt64 = 0
        public var overflows: UInt64 = 0
        public var invalidations: UInt64 = 0
        public var watches: UInt64 = 0
        /// Watches that were given back so that others could be had.
        public var givenBackWatches: UInt64 = 0
        public var degradedDirectories: UInt64 = 0
        public var nodes: UInt64 = 0
        public var listings: UInt64 = 0
        public var backingFiles: UInt64 = 0

        public init() {}

        private enum CodingKeys: String, CodingKey {
            case requests, errors, events, overflows, invalidations, watches, nodes, listings
            case givenBackWatches = "given_back_watches"
            case degradedDirectories = "degraded_directories"
            case backingFiles = "backing_files"
        }
    }

    public struct OpenFile: Codable, Sendable, Equatable {
        /// In the union.
        public var path: String
        public var layer: Int
        public var realPath: String
        public var handles: Int
        public var io: IO

        public enum IO: String, Codable, Sendable { case passthrough, direct, cached }

        private enum CodingKeys: String, CodingKey {
            case path, layer, handles, io
            case realPath = "real_path"
        }
    }
}

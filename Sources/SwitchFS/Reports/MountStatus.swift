/// What a mount is made of and what it does, as `switchfs status` shows it.
///
/// It is a picture of one moment; nothing in it changes by itself. The names in its JSON are stable: later versions
/// add names and take none away.
public struct MountStatus: Codable, Sendable, Equatable {
    /// Where it is mounted: absolute, links resolved.
    public var mountpoint: String
    /// The process that serves it, by its number in the asking process's pid namespace.
    public var pid: Int32
    /// The version of switchfs that serves it, as in `SwitchFSVersion.current`.
    public var version: String
    /// Top to bottom; a layer's place here is its ``Layer/index``.
    public var layers: [Layer]
    /// Whether the kernel reads and writes ordinary files itself.
    public var passthrough: Passthrough
    /// What the server has done since the mount, and what it holds now.
    public var counters: Counters
    /// The files that are open through the mount, in the order of their paths; each once, however many handles it has.
    public var openFiles: [OpenFile]
    /// The cgroups that the server is in, one for each hierarchy.
    public var cgroups: [Cgroup] = []

    /// How fresh the union as a whole is shown: as its layers let it be.
    public var coherence: CoherenceMode {
        let modes = Set(layers.map(\.coherence.mode))
        return [.check, .ttl, .watch].first { modes.contains($0) } ?? .static
    }

    private enum CodingKeys: String, CodingKey {
        case mountpoint, pid, version, layers, passthrough, counters, cgroups
        case openFiles = "open_files"
    }

    /// One of the directory trees that the mount unites.
    public struct Layer: Codable, Sendable, Equatable {
        /// Its number: from 0, top to bottom.
        public var index: Int
        /// Whether it is the upper.
        public var role: Role
        /// The path of its root directory as it was at the mount: absolute, links resolved.
        public var path: String
        /// Whether the union writes to it.
        public var access: Access
        /// The type of its filesystem, as `mount(8)` names it.
        public var filesystem: String
        /// How fresh it is shown.
        public var coherence: Coherence
        /// The error that it fails with, in words; nil: it answers.
        public var error: String?
        /// What has become of its path since the mount; nil: it leads to the layer.
        public var root: RootChange?

        /// What a layer is in its union.
        public enum Role: String, Codable, Sendable {
            /// The first layer, which takes what the policies send to the upper.
            case upper
            /// Any other.
            case lower
        }

        /// What the union does to a layer.
        public enum Access: String, Codable, Sendable {
            /// It reads and writes.
            case rw
            /// It only reads: the layer was given as `ro`, its filesystem is read-only, or the whole union is.
            case ro
        }
    }

    /// The server's cgroup in one hierarchy.
    public struct Cgroup: Codable, Sendable, Equatable {
        /// The controllers of a version 1 hierarchy, separated by commas, or its `name=NAME`; empty for version 2.
        public var hierarchy: String
        /// From the hierarchy's root.
        public var path: String
        /// The number of the layer that leads to it: who may write there can freeze, kill or limit the server. nil: no
        /// layer does.
        public var layer: Int?
    }

    /// How fresh a layer is shown, and why so.
    public struct Coherence: Codable, Sendable, Equatable {
        /// What the layer was given as, or what was chosen for its filesystem.
        public var mode: CoherenceMode
        /// Why it has that mode, for people.
        public var reason: String
    }

    /// Whether the kernel reads and writes ordinary files itself, and why (not).
    public struct Passthrough: Codable, Sendable, Equatable {
        /// It was agreed on with the kernel. Files of pseudo filesystems are served by requests even then.
        public var enabled: Bool
        /// How many filesystems may be stacked: 1 or 2; 0 when not enabled.
        public var depth: Int
        /// Why it is as it is, for people.
        public var reason: String
    }

    /// Numbers of things. Those of what is there now go up and down; the others count since the mount.
    public struct Counters: Codable, Sendable, Equatable {
        /// Requests of the kernel since the mount, by FUSE's names (`LOOKUP`); `OTHER` for those that this version has no
        /// name for.
        public var requests: [String: UInt64] = [:]
        /// How many of them were answered with an error, by the error's name (`ENOENT`).
        public var errors: [String: UInt64] = [:]
        /// What inotify has told of changes in layers, since the mount.
        public var events: UInt64 = 0
        /// How often inotify's queue overflowed, since the mount. Everything was looked at again then.
        public var overflows: UInt64 = 0
        /// How often the kernel was told to drop something that it kept, since the mount.
        public var invalidations: UInt64 = 0
        /// Inotify watches that the server has now.
        public var watches: UInt64 = 0
        /// Watches that were given back so that others could be had, since the mount.
        public var givenBackWatches: UInt64 = 0
        /// Directories of which nothing is kept now, because they can't be watched.
        public var degradedDirectories: UInt64 = 0
        /// Files and directories that the kernel knows now, the root not counted.
        public var nodes: UInt64 = 0
        /// Files that the kernel was told of before anybody asked for them, since the mount.
        public var toldAhead: UInt64 = 0
        /// Merged listings that the server holds now for clients that read them.
        public var listings: UInt64 = 0
        /// Real files that are registered with the kernel for passthrough now.
        public var backingFiles: UInt64 = 0

        /// All zero.
        public init() {}

        private enum CodingKeys: String, CodingKey {
            case requests, errors, events, overflows, invalidations, watches, nodes, listings
            case toldAhead = "told_ahead"
            case givenBackWatches = "given_back_watches"
            case degradedDirectories = "degraded_directories"
            case backingFiles = "backing_files"
        }
    }

    /// A file that is open through the mount, and the real file behind it.
    public struct OpenFile: Codable, Sendable, Equatable {
        /// In the union, from its root; `(deleted)` where it has no name any more.
        public var path: String
        /// The number of the layer that owns it.
        public var layer: Int
        /// The real file's path; `(deleted)` where it has no name any more.
        public var realPath: String
        /// How many open files of the kernel's it has. What dup(2) and fork(2) make doesn't count.
        public var handles: Int
        /// How its data moves.
        public var io: IO

        /// How the data of an open file moves.
        public enum IO: String, Codable, Sendable {
            /// The kernel reads and writes the real file itself.
            case passthrough
            /// By requests to the server, each of which reads or writes the real file.
            case direct
            /// By requests to the server, with a page cache of the union's own.
            case cached
        }

        private enum CodingKeys: String, CodingKey {
            case path, layer, handles, io
            case realPath = "real_path"
        }
    }
}

// In JSON they are the words that the options have, too.
extension CoherenceMode: Codable {}
extension RootChange: Codable {}

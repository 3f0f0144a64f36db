internal import LinuxSystem

/// How fresh each layer is shown, and what follows for the whole union.
///
/// A name's answer depends on every layer that may have the name, and each layer's root backs the union's. So
/// the union may keep only what the least of its layers lets it keep.
struct CoherencePlan: Sendable {
    struct Choice: Sendable {
        let mode: CoherenceMode
        let reason: String
    }

    /// One for each layer.
    let choices: [Choice]
    /// For how long the kernel may keep any name and its attributes.
    let freshness: Freshness
    /// Whether names, attributes and listings are kept until a watch says otherwise, or for ever.
    let isLasting: Bool

    /// "For good", in seconds: 31 years.
    static let lasting: Double = 1e9

    init(_ layers: [Layer], timeToLive: Double, hasWatcher: Bool) {
        choices = layers.map { $0.coherenceChoice(hasWatcher: hasWatcher) }
        let modes = Set(choices.map(\.mode))
        isLasting = modes.isSubset(of: [.watch, .static])
        if modes.contains(.check) {
            freshness = .none
        } else if modes.contains(.ttl) {
            freshness = Freshness(entrySeconds: timeToLive, attributeSeconds: timeToLive)
        } else {
            freshness = Freshness(entrySeconds: Self.lasting, attributeSeconds: Self.lasting)
        }
    }

    /// Whether programs beside the union may use the layer's files in a way that concerns its clients.
    func isShared(_ layer: Layer) -> Bool {
        !layer.isReadOnly && choices[layer.index].mode != .static
    }

    /// Whether names below a directory on that filesystem may be kept, if those in the layer's root may: a
    /// layer can hold mounts of other kinds.
    func suits(_ layer: Layer, _ filesystem: FilesystemFacts) -> Bool {
        guard filesystem.device != layer.filesystem.device, layer.requestedCoherence == nil else {
            return true
        }
        return filesystem.type.reportsChanges
    }
}

extension Layer {
    fileprivate func coherenceChoice(hasWatcher: Bool) -> CoherencePlan.Choice {
        let name = filesystem.type.name
        if let requested = requestedCoherence {
            guard requested == .watch && !hasWatcher else {
                return .init(mode: requested, reason: "asked for")
            }
            return .init(mode: .check, reason: "watch was asked for, but no inotify instance can be had")
        }
        guard filesystem.type.reportsChanges else {
            return .init(mode: .check, reason: "inotify does not report every change on \(name)")
        }
        guard hasWatcher else {
            return .init(mode: .check, reason: "no inotify instance can be had")
        }
        let what = filesystem.type.isControlGroups ? "the writes that change" : "every change on"
        return .init(mode: .watch, reason: "inotify reports \(what) \(name)")
    }
}

extension FileSystemType {
    /// Whether inotify reports every change on such a filesystem, whatever process makes it; of cgroups, the
    /// writes that cause it. False for any unknown filesystem.
    var reportsChanges: Bool {
        switch self {
        case .ext4, .xfs, .btrfs, .temporary, .overlay, .f2fs, .bcachefs, .zfs, .ramfs, .erofs, .squashfs,
            .iso9660, .fat, .cgroup, .cgroup2:
            true
        default: false
        }
    }
}

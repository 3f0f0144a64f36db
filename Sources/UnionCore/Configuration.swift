public import LinuxSystem

/// What a union is made of and by which policies it decides: all that a mount command says, as values.
///
/// Built by the command line and by library users, validated when a `Union` is opened.
public struct UnionConfiguration: Sendable {
    /// Top to bottom. With an upper, `layers[0]` is the upper.
    public var layers: [LayerConfiguration]
    /// Whether `layers[0]` is the upper (a union may do without one).
    public var hasUpper: Bool
    /// Where skeletons and whiteouts are prepared before they are put in place; on the upper's filesystem.
    public var workDirectory: String?
    public var policies = Policies()

    public init(layers: [LayerConfiguration], hasUpper: Bool, workDirectory: String? = nil) {
        self.layers = layers
        self.hasUpper = hasUpper
        self.workDirectory = workDirectory
    }
}

/// One layer as the user gave it.
public struct LayerConfiguration: Sendable {
    /// Absolute path of the layer's root directory.
    public var path: String
    public var readOnly: Bool
    /// nil: chosen from the filesystem's type (`auto`).
    public var coherence: CoherenceMode?
    /// The layer is an unpacked OCI image layer: `.wh.` names are whiteouts.
    public var isOCI: Bool

    public init(
        path: String, readOnly: Bool = false, coherence: CoherenceMode? = nil, isOCI: Bool = false
    ) {
        self.path = path
        self.readOnly = readOnly
        self.coherence = coherence
        self.isOCI = isOCI
    }
}

/// How fresh what the union shows of a layer is.
public enum CoherenceMode: String, Sendable, CaseIterable {
    case watch, check, ttl, `static`
}

/// Where `create` and `mkdir` send new objects.
public enum CreatePolicy: Sendable, Equatable {
    case upper
    /// The topmost lower that backs the directory.
    case lower
    /// The lower first; the upper when the lower refuses.
    case fallback
    /// One layer by its number. 0 is the upper.
    case layer(Int)
    /// Refused with `EPERM`.
    case deny
}

/// In which order a name is looked for.
public enum ReadPolicy: Sendable, Equatable {
    case upperFirst
    case lowerFirst
    /// That layer before all others.
    case layer(Int)
}

public enum WhiteoutPolicy: String, Sendable, CaseIterable {
    case auto, off
}

public enum OrphanPolicy: String, Sendable, CaseIterable {
    case keep, hide
}

public enum LockPolicy: String, Sendable, CaseIterable {
    /// On the real files where somebody beside the union may use them.
    case auto
    case local, through
}

/// The mount-wide policies: what the built-in branch selector answers from.
public struct Policies: Sendable {
    public var create = CreatePolicy.upper
    public var mkdir = CreatePolicy.upper
    public var whiteout = WhiteoutPolicy.auto
    public var orphans = OrphanPolicy.keep
    /// `complete=lower`: a lower's listing is authoritative for every directory that it has.
    public var lowerIsComplete = false
    public var locks = LockPolicy.auto
    /// Freshness bound of `ttl` layers, in seconds.
    public var timeToLive: Double = 1
    /// The whole union is read-only (`ro`).
    public var readOnly = false
    /// What reading does to access times; nil: what the mounts say that layers are on.
    public var accessTimes: AccessTimes?
    /// Listing directories doesn't move theirs (`nodiratime`).
    public var noDirectoryAccessTimes = false
    /// Consulted before `create` and `mkdir`; nil where no rules are given.
    public var selector: (any BranchSelector)?

    public init() {}
}

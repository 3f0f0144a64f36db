public import LinuxSystem

/// What a union is made of and by which policies it decides: all that a mount command says, as values.
///
/// The command line and library users build it. It is validated when a `Union` is opened.
public struct UnionConfiguration: Sendable {
    /// The layers, top to bottom. With an upper, `layers[0]` is the upper.
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
    /// The absolute path of the layer's root directory.
    public var path: String
    public var readOnly: Bool
    /// nil: the filesystem's type decides (`auto`).
    public var coherence: CoherenceMode?
    /// Whether the layer is an unpacked OCI image layer: `.wh.` names are whiteouts.
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
    /// The lower first, and the upper if the lower refuses.
    case fallback
    /// One layer by its number. 0 is the upper.
    case layer(Int)
    /// None: the answer is `EPERM`.
    case deny
}

/// The order in which layers are asked for a name.
public enum ReadPolicy: Sendable, Equatable {
    case upperFirst
    case lowerFirst
    /// That layer before all others.
    case layer(Int)
}

/// Whether removals may lay whiteouts in the upper.
public enum WhiteoutPolicy: String, Sendable, CaseIterable {
    case auto, off
}

/// What becomes of a skeleton whose origin has gone: it goes on showing what it holds (`keep`), or nothing of
/// it shows (`hide`).
public enum OrphanPolicy: String, Sendable, CaseIterable {
    case keep, hide
}

/// When the kernel is told of a directory's files before anybody asks for them.
public enum AheadMode: String, Sendable, CaseIterable {
    /// Where a client goes through the directory, and it pays.
    case auto
    case off
    /// From the first look on, whether it pays or not: for tests.
    case always
}

/// Where clients' locks are taken: only among clients (`local`), or on the real files too (`through`).
public enum LockPolicy: String, Sendable, CaseIterable {
    /// On the real files, if programs beside the union may use them.
    case auto
    case local, through
}

/// The mount-wide policies, from which the built-in branch selector answers.
public struct Policies: Sendable {
    /// Whether files are told to the kernel before anybody asks.
    public var ahead = AheadMode.auto
    public var create = CreatePolicy.upper
    public var mkdir = CreatePolicy.upper
    public var whiteout = WhiteoutPolicy.auto
    public var orphans = OrphanPolicy.keep
    /// `complete=lower`: a lower's listing is authoritative for every directory that it has.
    public var lowerIsComplete = false
    public var locks = LockPolicy.auto
    /// Freshness bound of `ttl` layers, in seconds.
    public var timeToLive: Double = 1
    /// Whether the whole union is read-only (`ro`).
    public var readOnly = false
    /// What reading does to access times. nil: what the layers' own mounts say.
    public var accessTimes: AccessTimes?
    /// Whether listing a directory leaves its access time (`nodiratime`).
    public var noDirectoryAccessTimes = false
    /// Asked before `create` and `mkdir`, and for reads. nil: there are no rules.
    public var selector: (any BranchSelector)?

    public init() {}
}

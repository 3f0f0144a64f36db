internal import LinuxSystem
internal import SystemPackage

/// What all directories need, and few files. The node's lock guards it.
class RareState {
    /// A file's other names, if it has several links. A directory's are those under which it was reported
    /// before it moved, until these are dropped.
    var otherAliases = OtherAliases()
    /// The open files of the node, while there are any.
    var openFiles: OpenFiles?
    /// The real object, kept from the loss of its last name until the node is forgotten, so that what is
    /// still referenced can be reached without a name.
    var unlinkedObject: OwnedDescriptor?
    /// How many removals of its names are under way. What is held stays until they have ended.
    var departures = 0
    /// The bits of the lookup count beyond 32.
    var lookupsBeyond: UInt64 = 0
}

/// What only directories need.
final class DirectoryState: RareState {
    let activity = NodeActivity()
    var owner: DirectoryOwner
    /// The real directories that it is made of, as what was reported of it counts on them.
    var makeup: Makeup
    /// `Makeup.backings` of the parent when the directory's name was settled last.
    var settledIn: UInt64 = 0
    /// See `Node.watchedWhole`.
    var watchedWhole: UInt64 = 0
    /// When the look at `makeup` began, by the clock of `Coherence`.
    var madeAt: UInt64 = 0
    /// The names that the kernel may know.
    var names = ReportedNames()
    /// See `Node.doubts`.
    var doubts = ReportDoubts()
    /// Whether the kernel may remember names in it as missing.
    var mayKnowAbsent = false
    /// See `Node.outdateLooks`.
    var looksCountFrom: UInt64 = 0
    /// See `Node.die`.
    var isDead = false
    /// The attributes that were reported last: what is left of a directory that a stranger removes.
    var lastReported: Attributes?
    /// The attributes that the kernel may have.
    var reportedAttributes = ReportedFingerprint.none
    /// Whether the kernel may have a listing.
    var isListingReported = false
    /// The layer whose own listing was streamed last.
    var listedLayer: UInt16 = 0
    /// Whether a file's removal was the last thing done to a file in it.
    var isBeingEmptied = false
    /// Whether it is watched as a cgroup. That watch tells of control files in the cgroups below, too.
    var isControlGroup = false
    /// Since when it is watched for what is written to its files, by the clock of `Coherence`. 0: it isn't.
    var filesWatchedSince: UInt64 = 0
    /// When a file was last kept by that, in nanoseconds of `monotonicNanoseconds`.
    var filesKeptAt: UInt64 = 0
    /// Whether its watch was given back for others. It may be asked for again.
    var isGivenBack = false

    init(_ owner: DirectoryOwner, _ makeup: Makeup) {
        self.owner = owner
        self.makeup = makeup
    }
}

/// The real directory that gives a union directory its attributes and its number.
struct DirectoryOwner: Sendable {
    let identity: ObjectIdentity
    let filesystem: FilesystemFacts
    /// `Makeup.part`.
    let part: UInt64
}

// A file reads the directories' facts as a new directory's would be, and can't set them.
extension Node.State {
    private var directory: DirectoryState? { rare as? DirectoryState }

    private mutating func madeRare() -> RareState {
        if let rare { return rare }
        let made = RareState()
        rare = made
        return made
    }

    var isControlGroup: Bool {
        get { directory?.isControlGroup ?? false }
        set { directory?.isControlGroup = newValue }
    }

    var hasOtherAliases: Bool { rare?.otherAliases.isEmpty == false }

    /// The other aliases, in no order.
    var otherAliases: [NodeAlias] { rare?.otherAliases.all ?? [] }

    mutating func addOther(_ alias: NodeAlias) { madeRare().otherAliases.add(alias) }

    /// Takes an alias out of the others. False: it wasn't one of them.
    @discardableResult
    func removeOther(_ alias: NodeAlias) -> Bool { rare?.otherAliases.remove(alias) ?? false }

    func takeOther() -> NodeAlias? { rare?.otherAliases.takeLast() }

    func forgetOthers() { rare?.otherAliases = OtherAliases() }

    var openFiles: OpenFiles? {
        get { rare?.openFiles }
        set { madeRare().openFiles = newValue }
    }

    /// The object that is held, to be used as long as the node is known.
    var unlinkedObject: FileDescriptor? { rare?.unlinkedObject?.descriptor }

    /// Begins the removal of one of the names, and keeps the object in reach. Returns the object if another
    /// one is held already. (The descriptor is owned. It isn't an `OwnedDescriptor`, as a closure can't take
    /// what can't be copied.)
    mutating func beginDeparture(_ object: FileDescriptor) -> FileDescriptor? {
        let rare = madeRare()
        rare.departures += 1
        guard rare.unlinkedObject == nil else { return object }
        rare.unlinkedObject = OwnedDescriptor(owning: object)
        return nil
    }

    /// Ends a removal. Returns the object that needn't be held any more, as the node has a name.
    mutating func endDeparture(hasName: Bool) -> FileDescriptor? {
        guard let rare else { return nil }
        rare.departures -= 1
        guard rare.departures == 0, hasName else { return nil }
        return rare.unlinkedObject.take()?.release()
    }

    /// How many times the node was reported to the kernel and not forgotten yet.
    var lookups: UInt64 {
        get { (rare?.lookupsBeyond ?? 0) << 32 | UInt64(shortLookups) }
        set {
            shortLookups = UInt32(truncatingIfNeeded: newValue)
            if rare != nil || newValue >> 32 != 0 { madeRare().lookupsBeyond = newValue >> 32 }
        }
    }

    var activity: NodeActivity? { directory?.activity }
    var owner: DirectoryOwner? { directory?.owner }

    var makeup: Makeup {
        get { directory?.makeup ?? Makeup() }
        set { directory?.makeup = newValue }
    }

    mutating func note(_ makeup: Makeup, _ owner: DirectoryOwner, _ begun: UInt64) {
        guard let directory else { return }
        directory.makeup = makeup
        directory.owner = owner
        directory.madeAt = begun
    }

    var settledIn: UInt64 {
        get { directory?.settledIn ?? 0 }
        set { directory?.settledIn = newValue }
    }

    var watchedWhole: UInt64 {
        get { directory?.watchedWhole ?? 0 }
        set { directory?.watchedWhole = newValue }
    }

    var madeAt: UInt64 {
        get { directory?.madeAt ?? 0 }
        set { directory?.madeAt = newValue }
    }

    var names: ReportedNames {
        get { directory?.names ?? ReportedNames() }
        _modify {
            if let directory {
                yield &directory.names
            } else {
                var none = ReportedNames()
                yield &none
            }
        }
    }

    var doubts: ReportDoubts {
        get { directory?.doubts ?? ReportDoubts() }
        _modify {
            if let directory {
                yield &directory.doubts
            } else {
                var none = ReportDoubts()
                yield &none
            }
        }
    }

    var mayKnowAbsent: Bool {
        get { directory?.mayKnowAbsent ?? false }
        set { directory?.mayKnowAbsent = newValue }
    }

    var looksCountFrom: UInt64 {
        get { directory?.looksCountFrom ?? 0 }
        set { directory?.looksCountFrom = newValue }
    }

    var isDead: Bool {
        get { directory?.isDead ?? false }
        set { directory?.isDead = newValue }
    }

    var lastReported: Attributes? {
        get { directory?.lastReported }
        set { directory?.lastReported = newValue }
    }

    var reportedAttributes: ReportedFingerprint {
        get { directory?.reportedAttributes ?? ReportedFingerprint.none }
        set { directory?.reportedAttributes = newValue }
    }

    var isListingReported: Bool {
        get { directory?.isListingReported ?? false }
        set { directory?.isListingReported = newValue }
    }

    var listedLayer: UInt16 {
        get { directory?.listedLayer ?? 0 }
        set { directory?.listedLayer = newValue }
    }

    var filesWatchedSince: UInt64 {
        get { directory?.filesWatchedSince ?? 0 }
        set { directory?.filesWatchedSince = newValue }
    }

    var filesKeptAt: UInt64 {
        get { directory?.filesKeptAt ?? 0 }
        set { directory?.filesKeptAt = newValue }
    }

    var isGivenBack: Bool {
        get { directory?.isGivenBack ?? false }
        set { directory?.isGivenBack = newValue }
    }

    var isBeingEmptied: Bool {
        get { directory?.isBeingEmptied ?? false }
        set { directory?.isBeingEmptied = newValue }
    }
}

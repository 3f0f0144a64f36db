internal import LinuxSystem
internal import SystemPackage

/// What few files need, and all directories; guarded by the node's lock.
class NodeAside {
    /// Other names of a file with several links.
    var otherPlaces: [Place] = []
    /// The open files of the node, while there are any.
    var openFiles: OpenFiles?
    /// Kept from unlink to forget, so that what is still referenced can be reached without a name.
    var parked: OwnedDescriptor?
    /// What the lookup count has beyond 32 bits.
    var lookupsBeyond: UInt64 = 0
}

/// What only directories need.
final class DirectoryAside: NodeAside {
    let activity = NodeActivity()
    /// `ObjectIdentity.place`.
    let placeMark: UInt32
    /// The lowest layer that may back it. Complete marks above end the search there.
    var floor: Int
    /// Which real ones backed it when it was told (`Survey.layersMark`); 0: it never was.
    var layersTold: UInt64
    /// The same without what is marked on them.
    var backingsTold: UInt64 = 0
    /// When one of its names was last dropped. What was told before isn't known to be known.
    var lastDrop: UInt64 = 0
    /// Somebody was told that it isn't where it was.
    var isSaidStale = false
    /// Its names were dropped since it was last seen, as it wasn't found by any.
    var areNamesDropped = false
    /// The attributes that the kernel may have been told.
    var attributesTold = ToldMark.none
    /// The kernel may have a listing.
    var isListingTold = false
    /// The layer whose own listing was streamed last.
    var listedLayer: UInt16 = 0
    /// The last that was done about a file in it was its removal.
    var isBeingEmptied = false

    init(placeMark: UInt32, floor: Int, layers: UInt64) {
        self.placeMark = placeMark
        self.floor = floor
        layersTold = layers
    }
}

// Of a file the directories' facts are what a new directory's would be, and can't be set.
extension Node.State {
    private var directory: DirectoryAside? { aside as? DirectoryAside }

    private mutating func madeAside() -> NodeAside {
        if let aside { return aside }
        let made = NodeAside()
        aside = made
        return made
    }

    var otherPlaces: [Place] {
        get { aside?.otherPlaces ?? [] }
        set { if aside != nil || !newValue.isEmpty { madeAside().otherPlaces = newValue } }
    }

    var openFiles: OpenFiles? {
        get { aside?.openFiles }
        set { madeAside().openFiles = newValue }
    }

    /// What is parked, to be used as long as the node is known.
    var parked: FileDescriptor? { aside?.parked?.descriptor }

    mutating func park(_ object: FileDescriptor) { madeAside().parked = OwnedDescriptor(owning: object) }

    /// How many times the kernel was told of the node and hasn't forgotten it.
    var lookups: UInt64 {
        get { (aside?.lookupsBeyond ?? 0) << 32 | UInt64(shortLookups) }
        set {
            shortLookups = UInt32(truncatingIfNeeded: newValue)
            if aside != nil || newValue >> 32 != 0 { madeAside().lookupsBeyond = newValue >> 32 }
        }
    }

    var activity: NodeActivity? { directory?.activity }
    var placeMark: UInt32 { directory?.placeMark ?? 0 }

    var floor: Int {
        get { directory?.floor ?? 0 }
        set { directory?.floor = newValue }
    }

    var layersTold: UInt64 {
        get { directory?.layersTold ?? 0 }
        set { directory?.layersTold = newValue }
    }

    var backingsTold: UInt64 {
        get { directory?.backingsTold ?? 0 }
        set { directory?.backingsTold = newValue }
    }

    var lastDrop: UInt64 {
        get { directory?.lastDrop ?? 0 }
        set { directory?.lastDrop = newValue }
    }

    var isSaidStale: Bool {
        get { directory?.isSaidStale ?? false }
        set { directory?.isSaidStale = newValue }
    }

    var areNamesDropped: Bool {
        get { directory?.areNamesDropped ?? false }
        set { directory?.areNamesDropped = newValue }
    }

    var attributesTold: ToldMark {
        get { directory?.attributesTold ?? ToldMark.none }
        set { directory?.attributesTold = newValue }
    }

    var isListingTold: Bool {
        get { directory?.isListingTold ?? false }
        set { directory?.isListingTold = newValue }
    }

    var listedLayer: UInt16 {
        get { directory?.listedLayer ?? 0 }
        set { directory?.listedLayer = newValue }
    }

    var isBeingEmptied: Bool {
        get { directory?.isBeingEmptied ?? false }
        set { directory?.isBeingEmptied = newValue }
    }
}

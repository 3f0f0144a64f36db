internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One name under which a node was told to the kernel. It never changes: a rename makes a new one.
final class Place: Sendable {
    let parent: Node
    let name: OwnedName
    /// The layer that owns what stands there.
    let layer: Int
    /// When the look that was told last was begun, by the clock of `Coherence`.
    let told: Atomic<UInt64>

    init(parent: Node, name: PathRef, layer: Int, told: UInt64) {
        self.parent = parent
        self.name = OwnedName(copying: name)
        self.layer = layer
        self.told = Atomic(told)
    }

    /// The kernel knows the name as it was told, as far as anybody can say.
    var isCurrent: Bool {
        told.load(ordering: .sequentiallyConsistent) >= parent.state.withLock { $0.lastDrop }
    }

    func isAt(_ parent: Node, _ name: PathRef) -> Bool {
        self.parent === parent && self.name.ref == name
    }
}

/// A union object that the kernel knows: the answer to a lookup, until it is forgotten.
///
/// A node holds no descriptor (but see `parked`): its real object is found by its place, and told from
/// whatever else may stand there by now by its identity.
final class Node: Sendable {
    let id: NodeID
    let kind: FileKind
    let identity: ObjectIdentity
    /// The filesystem of the real object.
    let filesystem: FilesystemFacts
    let state: Mutex<State>
    let activity = NodeActivity()

    /// What changes in a node. The lock is a leaf: nothing is called with it held.
    struct State: ~Copyable {
        /// Where the object was seen last; nil for the root, and for what has no name (any more).
        var place: Place?
        /// Other names of a file with several links.
        var otherPlaces: [Place] = []
        /// Directories: the lowest layer that may back it. Complete marks above end the search there.
        var floor: Int
        /// The open files of this node, while there are any.
        var openFiles: OpenFiles?
        /// What the kernel was told of it may be kept: a directory's names and attributes, a file's attributes.
        var isCached = false
        /// A watch was asked for and can't be had.
        var isDegraded = false
        /// Since when, by the clock of `Coherence`: only a younger look may be kept.
        var cachedSince: UInt64 = 0
        /// How often that ended.
        var endings: UInt32 = 0
        /// Directories: which real ones backed it when it was told (`Survey.layersMark`); 0: it never was.
        var layersTold: UInt64 = 0
        /// The same without what is marked on them.
        var backingsTold: UInt64 = 0
        /// Directories: when one of its names was last dropped. What was told before isn't known to be known.
        var lastDrop: UInt64 = 0
        /// Directories: somebody was told that it isn't where it was.
        var isSaidStale = false
        /// Directories: the attributes that the kernel may have been told.
        var attributesTold = ToldMark.none
        /// Directories: the kernel may have a listing.
        var isListingTold = false
        /// Kept from unlink to forget, so that what is still referenced can be reached without a name.
        var parked: OwnedDescriptor?
    }

    init(
        id: NodeID, kind: FileKind, identity: ObjectIdentity, filesystem: FilesystemFacts, place: Place?,
        floor: Int
    ) {
        self.id = id
        self.kind = kind
        self.identity = identity
        self.filesystem = filesystem
        state = Mutex(State(place: place, floor: floor))
    }

    var isDirectory: Bool { kind == .directory }
    var isRoot: Bool { id == .root }

    /// Nothing is under way that may tell the directory's attributes or change them.
    var isQuiet: Bool {
        !activity.hasChanges && !activity.hasLooks && place?.parent.activity.hasLookups != true
    }

    /// A change of the union's own in the directory is through: the kernel drops its attributes and listing by
    /// itself when it learns of that.
    func noteOwnChange() {
        let isTelling = activity.hasLooks || place?.parent.activity.hasLookups == true
        state.withLock { state in
            state.isListingTold = false
            if !isTelling { state.attributesTold = .none }
        }
    }

    /// Whether the directory is what it was when it was told, if it ever was.
    func isMade(of layers: UInt64) -> Bool {
        guard isDirectory else { return true }
        return state.withLock { $0.layersTold == 0 || $0.layersTold == layers }
    }

    var place: Place? { state.withLock { $0.place } }
    var floor: Int { state.withLock { $0.floor } }

    /// Every name that the node is known by, the last seen first.
    var places: [Place] {
        state.withLock { state in
            guard let place = state.place else { return state.otherPlaces }
            return [place] + state.otherPlaces
        }
    }

    /// Notes that the object was just seen at (parent, name) in `layer`.
    func noteSeen(at parent: Node, _ name: PathRef, layer: Int, floor: Int, linkCount: UInt32, told: UInt64) {
        state.withLock { state in
            state.floor = floor
            state.isSaidStale = false
            if let place = state.place {
                if place.isAt(parent, name) && place.layer == layer {
                    return place.told.store(told, ordering: .sequentiallyConsistent)
                }
                if !place.isAt(parent, name) { keep(place, &state, linkCount) }
            }
            state.otherPlaces.removeAll { $0.isAt(parent, name) }
            state.place = Place(parent: parent, name: name, layer: layer, told: told)
        }
    }

    /// A file with several links has several names. A directory has one, and a file with one link too: but who
    /// saw it here may have looked before who saw it there, so a directory's last few are kept to be tried.
    private func keep(_ place: Place, _ state: inout State, _ linkCount: UInt32) {
        guard isDirectory || linkCount > 1 else { return }
        state.otherPlaces.append(place)
        if isDirectory && state.otherPlaces.count > 4 { state.otherPlaces.removeFirst() }
    }

    /// The kernel has forgotten the node: it holds on to no other any more.
    func forgetOtherPlaces() { state.withLock { $0.otherPlaces = [] } }

    /// Tries the other places of a directory with `isThere`, and takes the first where it is. False: nowhere.
    func findPlace(_ isThere: (Node) -> Bool) -> Bool {
        for place in places.dropFirst() {
            state.withLock { state in
                if let current = state.place { state.otherPlaces.insert(current, at: 0) }
                state.otherPlaces.removeAll { $0 === place }
                state.place = place
            }
            if isThere(self) { return true }
        }
        return false
    }

    /// Forgets the name (parent, name).
    func noteGone(from parent: Node, _ name: PathRef) {
        state.withLock { state in
            state.otherPlaces.removeAll { $0.isAt(parent, name) }
            guard let place = state.place, place.isAt(parent, name) else { return }
            if isDirectory { state.otherPlaces = [] }
            state.place = state.otherPlaces.popLast()
        }
    }

    /// Follows a rename from one name to another.
    func noteMoved(
        from parent: Node, _ name: PathRef, to newParent: Node, _ newName: PathRef, layer: Int, at now: UInt64
    ) {
        let moved = Place(parent: newParent, name: newName, layer: layer, told: now)
        state.withLock { state in
            state.otherPlaces.removeAll { $0.isAt(parent, name) || $0.isAt(newParent, newName) }
            if let place = state.place, !place.isAt(parent, name), !place.isAt(newParent, newName) {
                state.otherPlaces.append(place)
            }
            state.place = moved
        }
    }
}

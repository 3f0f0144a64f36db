internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A union object that the kernel knows: the answer to a lookup, until it is forgotten.
///
/// A node holds no descriptor (but see `parked`): its real object is found by its place, and told from
/// whatever else may stand there by now by its identity.
/// There are hundreds of thousands: 88 bytes, so that an allocation is one of 96. What only directories or few
/// files need is in `State.aside`.
final class Node: Sendable {
    let id: NodeID
    private let inode: UInt64
    private let birthAndKind: Int64
    /// The filesystem of the real object.
    let filesystem: FilesystemFacts
    let state: Mutex<State>

    /// What changes in a node. The lock is a leaf: nothing is called with it held.
    struct State: ~Copyable {
        /// Where the object was seen last; nil for the root, and for what has no name (any more).
        var place: Place?
        /// Directories: a `DirectoryAside`; files: nil as long as nothing is kept there.
        var aside: NodeAside?
        /// Since when, by the clock of `Coherence`: only a younger look may be kept.
        var cachedSince: UInt64 = 0
        /// The lowest 32 bits of `lookups`.
        var shortLookups: UInt32 = 1
        /// How often that what is cached ended.
        var endings: UInt16 = 0
        /// What the kernel was told of it may be kept: a directory's names and attributes, a file's attributes.
        var isCached = false
        /// A watch was asked for and can't be had.
        var isDegraded = false
    }

    /// `identity.device` is the filesystem's. `layers`: a directory's `layersTold`. The lookup count is one.
    init(
        id: NodeID, kind: FileKind, identity: ObjectIdentity, filesystem: FilesystemFacts, place: Place?,
        floor: Int, layers: UInt64 = 0
    ) {
        self.id = id
        self.filesystem = filesystem
        inode = identity.inode
        birthAndKind = identity.birth.word | Int64(kind.rawValue)
        let aside =
            kind == .directory ? DirectoryAside(placeMark: identity.place, floor: floor, layers: layers) : nil
        state = Mutex(State(place: place, aside: aside))
    }

    var kind: FileKind { FileKind(rawValue: UInt8(truncatingIfNeeded: birthAndKind & 15)) ?? .regular }

    var identity: ObjectIdentity {
        ObjectIdentity(
            device: filesystem.device, inode: inode, birth: BirthTime(word: birthAndKind),
            place: isDirectory ? state.withLock { $0.placeMark } : 0)
    }

    /// The same as to compare the identities, without making the other one where it differs.
    func stands(for identity: ObjectIdentity) -> Bool { inode == identity.inode && self.identity == identity }

    /// Counts one more lookup.
    func noteLookup() { state.withLock { $0.lookups &+= 1 } }

    /// Takes lookups back. False: there are none left.
    func takeLookups(_ count: UInt64) -> Bool {
        state.withLock { state in
            let left = state.lookups
            guard left > count else { return false }
            state.lookups = left - count
            return true
        }
    }

    var isDirectory: Bool { birthAndKind & 15 == Int64(FileKind.directory.rawValue) }
    var isRoot: Bool { id == .root }

    /// Nothing is under way that may tell the directory's attributes or change them.
    var isQuiet: Bool { activity?.hasChanges != true && !isTelling }

    /// Somebody may be about to tell the directory's attributes.
    private var isTelling: Bool {
        activity?.hasLooks == true || place?.parent.activity?.hasLookups == true
    }

    /// A change of the union's own in the directory is through: the kernel drops its attributes and listing by
    /// itself when it learns of that.
    func noteOwnChange() {
        let isTelling = isTelling
        state.withLock { state in
            state.isListingTold = false
            if !isTelling { state.attributesTold = .none }
        }
    }

    /// A file in the directory was removed.
    func noteRemoval() { state.withLock { $0.isBeingEmptied = true } }

    /// Whether that was the last that was done about a file in the directory; now another one is looked at.
    func takeRemoval() -> Bool {
        state.withLock { state in
            defer { state.isBeingEmptied = false }
            return state.isBeingEmptied
        }
    }

    /// Whether the directory was told at that name in another node of the same real directory. The kernel has each
    /// directory at one place only and would have to move it from there, which fails with ESTALE where a lock
    /// that it needs for that is taken.
    func isIn(otherThan directory: Node, _ name: PathRef) -> Bool {
        guard isDirectory, let place, place.parent !== directory, place.name == name else { return false }
        return place.parent.identity == directory.identity
    }

    /// Whether the directory is what it was when it was told, if it ever was.
    func isMade(of layers: UInt64) -> Bool {
        guard isDirectory else { return true }
        return state.withLock { $0.layersTold == 0 || $0.layersTold == layers }
    }

    var place: Place? { state.withLock { $0.place } }
    var floor: Int { state.withLock { $0.floor } }

    /// Every name that the node is known by, the last seen first.
    var places: [Place] { state.withLock { $0.places } }

    /// Notes that the object was just seen at (parent, name) in `layer`.
    func noteSeen(at parent: Node, _ name: PathRef, layer: Int, floor: Int, linkCount: UInt32, told: UInt64) {
        state.withLock { state in
            // Where it counts in what the directory is made of, it is that already.
            if state.layersTold == 0 { state.floor = floor }
            state.noteFound()
            if let place = state.place {
                if place.isAt(parent, name) && place.layer == layer {
                    return place.noteTold(told)
                }
                if !place.isAt(parent, name) { keep(place, &state, linkCount) }
            }
            state.otherPlaces.removeAll { $0.isAt(parent, name) }
            state.place = Place(parent: parent, name: name, layer: layer, told: told)
        }
    }

    /// The same where it is another place of what was seen elsewhere, which stays the first to look at.
    func noteAlsoSeen(at parent: Node, _ name: PathRef, layer: Int, linkCount: UInt32, told: UInt64) {
        state.withLock { state in
            state.noteFound()
            if let place = state.places.first(where: { $0.isAt(parent, name) && $0.layer == layer }) {
                return place.noteTold(told)
            }
            let place = Place(parent: parent, name: name, layer: layer, told: told)
            state.addOther(place, isOnlyName: isDirectory || linkCount <= 1)
        }
    }

    /// A file with several links has several names. A directory has one, and a file with one link too: but who
    /// saw it here may have looked before who saw it there, so a directory's last few are kept to be tried.
    private func keep(_ place: Place, _ state: inout State, _ linkCount: UInt32) {
        guard isDirectory || linkCount > 1 else { return }
        state.addOther(place, isOnlyName: isDirectory)
    }

    /// The kernel has forgotten the node: it holds on to no other any more.
    func forgetOtherPlaces() { state.withLock { $0.otherPlaces = [] } }

    /// Takes one of the node's places for the first to look at.
    func prefer(_ place: Place) {
        state.withLock { state in
            if let current = state.place {
                if current.isSame(as: place) { return }
                state.otherPlaces.insert(current, at: 0)
            }
            state.otherPlaces.removeAll { $0.isSame(as: place) }
            state.place = place
        }
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

    /// The directory was seen there, but the kernel wasn't told: if it is removed, it isn't what the kernel knows.
    func noteNotTold(at parent: Node, _ name: PathRef) {
        guard isDirectory else { return }
        state.withLock { state in
            for place in state.places where place.isAt(parent, name) { place.noteTold(0) }
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

extension Node.State {
    /// The last seen first.
    fileprivate var places: [Place] {
        guard let place else { return otherPlaces }
        return [place] + otherPlaces
    }

    /// What was said and done as it wasn't found is over.
    fileprivate mutating func noteFound() {
        isSaidStale = false
        areNamesDropped = false
    }

    /// Of what has one name at a time, the last few are kept.
    fileprivate mutating func addOther(_ place: Place, isOnlyName: Bool) {
        otherPlaces.append(place)
        if isOnlyName && otherPlaces.count > 4 { otherPlaces.removeFirst() }
    }
}

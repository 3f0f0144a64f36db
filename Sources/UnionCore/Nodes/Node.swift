internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A union object that the kernel knows: the answer to a lookup, until it is forgotten.
///
/// A file is one real object. A directory is what the union shows at a place, for as long as it shows one there: the
/// real directories that make it up may change (`Makeup`).
///
/// A node holds no descriptor (but see `unlinkedObject`): its real object is found by its alias, and told from
/// whatever else may stand there by now by its identity.
/// There are hundreds of thousands: 88 bytes, so that an allocation is one of 96. What only directories or few
/// files need is in `State.aside`.
final class Node: Sendable {
    let id: NodeID
    private let inode: UInt64
    private let born: BornAs
    /// The filesystem of a file; of a directory, that of its first owner.
    private let firstFilesystem: FilesystemFacts
    let state: Mutex<State>

    /// What changes in a node. No lock is taken with this one held but that of `OpenFiles`, and no layer is called.
    struct State: ~Copyable {
        /// Where the object was seen last; nil for the root, and for what has no name (any more).
        var alias: NodeAlias?
        /// Directories: a `DirectoryState`; files: nil as long as nothing is kept there.
        var aside: RareState?
        /// Since when, by the clock of `Coherence`: only a younger look may be kept.
        var cachedSince: UInt64 = 0
        /// The lowest 32 bits of `lookups`.
        var shortLookups: UInt32 = 1
        /// How often what is cached of it has ended.
        var endings: UInt16 = 0
        /// What the kernel was told of it may be kept: a directory's names and attributes, a file's attributes.
        var isCached = false
        /// A watch was asked for and can't be had.
        var isDegraded = false
    }

    /// A file. The identity's device is the filesystem's. The lookup count is one.
    init(id: NodeID, identity: ObjectIdentity, filesystem: FilesystemFacts) {
        self.id = id
        firstFilesystem = filesystem
        inode = identity.inode
        born = identity.born
        state = Mutex(State(alias: nil, aside: nil))
    }

    /// A directory.
    init(id: NodeID, owner: DirectoryOwner, makeup: Makeup) {
        self.id = id
        firstFilesystem = owner.filesystem
        inode = owner.identity.inode
        born = owner.identity.born
        state = Mutex(State(alias: nil, aside: DirectoryState(owner, makeup)))
    }

    /// The root, which the topmost layer owns.
    convenience init(rootOf top: Layer) {
        let owner = DirectoryOwner(
            identity: ObjectIdentity(top.rootStatus, on: top.filesystem), filesystem: top.filesystem,
            part: Makeup.part(top.rootStatus, in: top))
        self.init(id: .root, owner: owner, makeup: Makeup())
    }

    var kind: FileKind { born.kind }

    /// The real object; a directory's owner.
    var identity: ObjectIdentity {
        if isDirectory, let owner = state.withLock({ $0.owner }) { return owner.identity }
        return ObjectIdentity(device: firstFilesystem.device, inode: inode, born: born)
    }

    /// The filesystem of the real object.
    var filesystem: FilesystemFacts {
        if isDirectory, let owner = state.withLock({ $0.owner }) { return owner.filesystem }
        return firstFilesystem
    }

    /// The same as to compare the identities, without making the other one where it differs. For files.
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

    var isDirectory: Bool { born.isDirectory }
    var isRoot: Bool { id == .root }

    var alias: NodeAlias? { state.withLock { $0.alias } }

    /// Every name that the node is known by, the last seen first. There may be tens of thousands: not for each request.
    var aliases: [NodeAlias] { state.withLock { $0.aliases } }

    /// The same but for `alias`, in no order.
    var otherAliases: [NodeAlias] { state.withLock { $0.otherAliases } }
}

// What is under way with a directory.
extension Node {
    /// Nothing is under way that may tell the directory's attributes or change them.
    var isQuiet: Bool { activity?.hasChanges != true && !isReporting }

    /// Somebody may be about to tell the directory's attributes.
    private var isReporting: Bool {
        activity?.hasLooks == true || alias?.parent.activity?.hasLookups == true
    }

    /// A change of the union's own in the directory is through: the kernel drops its attributes and listing by itself
    /// when it learns of that. Not so attributes that are on their way to another thread than the one that changes it:
    /// when those are taken in, nobody knows.
    func noteOwnChange(by thread: Int32) {
        let isReporting = isReporting
        state.withLock { state in
            state.isListingReported = false
            if !isReporting, state.reportedAttributes.isTaken(by: thread) { state.reportedAttributes = .none }
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
}

// Where it was seen.
extension Node {
    /// The object stands at the alias, which is now the first to look at. `ifReported`: unless the alias was withdrawn meanwhile.
    func noteSeen(at alias: NodeAlias, ifReported: Bool = false) {
        state.withLock { state in
            if ifReported && alias.isWithdrawn { return }
            if let current = state.alias {
                if current.isSame(as: alias) { return }
                if !current.isWithdrawn { state.addOther(current) }
            }
            state.removeOther(alias)
            state.alias = alias
        }
    }

    /// The object was found at one of the other aliases, and not at the first: the next one to ask looks there first.
    func prefer(_ alias: NodeAlias) {
        state.withLock { state in
            guard let current = state.alias, state.removeOther(alias) else { return }
            if !current.isWithdrawn { state.addOther(current) }
            state.alias = alias
        }
    }

    /// The alias isn't one of the node's any more. The one where it was seen last is kept, to be looked at if all else
    /// fails, unless `isGone`: nothing of the node stands there.
    func forget(_ alias: NodeAlias, isGone: Bool) {
        state.withLock { state in
            state.removeOther(alias)
            guard let current = state.alias, current.isSame(as: alias) else { return }
            // A directory has one alias alone: it is no longer where it was before.
            if isGone || !isDirectory && state.hasOtherAliases {
                state.alias = isDirectory ? nil : state.takeOther()
            }
        }
    }

    /// The kernel has forgotten the node: it has no alias any more. Returns where it was.
    func forgetAliases() -> [NodeAlias] {
        state.withLock { state in
            defer { state.forgetOthers() }
            return state.aliases
        }
    }
}

extension Node.State {
    /// The last seen first.
    var aliases: [NodeAlias] {
        guard let alias else { return otherAliases }
        return [alias] + otherAliases
    }
}

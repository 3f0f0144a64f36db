internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A union object that the kernel knows: the answer to a lookup, until the kernel forgets it.
///
/// A file is one real object. A directory is what the union shows at a path, for as long as it shows one
/// there: the real directories that make it up may change (`Makeup`).
///
/// A node holds no descriptor (but see `unlinkedObject`). Its alias finds its real object, and its identity
/// tells that from whatever else may stand there by now.
///
/// There are hundreds of thousands of nodes. A node has 88 bytes, so that an allocation is one of 96. What
/// only directories or few files need is in `State.rare`.
final class Node: Sendable {
    let id: NodeID
    private let inode: UInt64
    private let born: BornAs
    /// The filesystem of a file; of a directory, that of its first owner.
    private let firstFilesystem: FilesystemFacts
    let state: Mutex<State>

    /// What changes in a node. With its lock held no lock is taken but that of `OpenFiles`, and no layer is
    /// called.
    struct State: ~Copyable {
        /// Where the object was seen last. nil: it is the root, or has no name (any more).
        var alias: NodeAlias?
        /// A directory's is a `DirectoryState`. A file's is nil as long as nothing is kept there.
        var rare: RareState?
        /// Only a look that is younger than this may be kept, by the clock of `Coherence`.
        var cachedSince: UInt64 = 0
        /// The lowest 32 bits of `lookups`.
        var shortLookups: UInt32 = 1
        /// How often the keeping of it has ended.
        var endings: UInt16 = 0
        var keeping = Keeping()
    }

    /// What the kernel may keep of a node, and by what it is kept true.
    struct Keeping: OptionSet {
        let rawValue: UInt8

        /// See `State.isCached`.
        static var cached: Keeping { Keeping(rawValue: 1) }
        /// See `State.isDegraded`.
        static var degraded: Keeping { Keeping(rawValue: 2) }
        /// See `State.isKeptByDirectory`.
        static var byDirectory: Keeping { Keeping(rawValue: 4) }
        /// See `State.wasKeptByDirectory`.
        static var onceByDirectory: Keeping { Keeping(rawValue: 8) }
    }

    /// Makes a file's node. The identity's device is the filesystem's. The lookup count is one.
    init(id: NodeID, identity: ObjectIdentity, filesystem: FilesystemFacts) {
        self.id = id
        firstFilesystem = filesystem
        inode = identity.inode
        born = identity.born
        state = Mutex(State(alias: nil, rare: nil))
    }

    /// Makes a directory's node, with a lookup count of one.
    init(id: NodeID, owner: DirectoryOwner, makeup: Makeup) {
        self.id = id
        firstFilesystem = owner.filesystem
        inode = owner.identity.inode
        born = owner.identity.born
        state = Mutex(State(alias: nil, rare: DirectoryState(owner, makeup)))
    }

    /// Makes the root's node, which the topmost layer owns.
    convenience init(rootOf top: Layer) {
        let owner = DirectoryOwner(
            identity: ObjectIdentity(top.rootStatus, on: top.filesystem), filesystem: top.filesystem,
            part: Makeup.part(top.rootStatus, in: top))
        self.init(id: .root, owner: owner, makeup: Makeup())
    }

    var kind: FileKind { born.kind }

    /// The identity of the real object; of a directory, that of its owner.
    var identity: ObjectIdentity {
        if isDirectory, let owner = state.withLock({ $0.owner }) { return owner.identity }
        return ObjectIdentity(device: firstFilesystem.device, inode: inode, born: born)
    }

    /// The filesystem of the real object.
    var filesystem: FilesystemFacts {
        if isDirectory, let owner = state.withLock({ $0.owner }) { return owner.filesystem }
        return firstFilesystem
    }

    /// Whether the node has that identity. It doesn't make the node's own identity if the inode number
    /// differs. For files.
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

    /// Every name that the node is known by, the last seen first. There may be tens of thousands, so this
    /// isn't for each request.
    var aliases: [NodeAlias] { state.withLock { $0.aliases } }

    /// Every name that the node is known by, except `alias`, in no order.
    var otherAliases: [NodeAlias] { state.withLock { $0.otherAliases } }
}

// What is under way with a directory.
extension Node {
    /// Whether nothing is under way that may report the directory's attributes or change them.
    var isQuiet: Bool { activity?.hasChanges != true && !isReporting }

    /// Whether a request may be about to report the directory's attributes.
    private var isReporting: Bool {
        activity?.hasLooks == true || alias?.parent.activity?.hasLookups == true
    }

    /// Notes that a change of the union's own in the directory is through. When the kernel learns of the
    /// change, it drops the directory's attributes and listing by itself. It doesn't drop attributes that are
    /// on their way to another thread than the one that makes the change: it isn't known when the kernel
    /// takes those in.
    func noteOwnChange(by thread: Int32) {
        let isReporting = isReporting
        state.withLock { state in
            state.isListingReported = false
            if !isReporting, state.reportedAttributes.isTaken(by: thread) { state.reportedAttributes = .none }
        }
    }

    /// Notes that a file in the directory was removed.
    func noteRemoval() { state.withLock { $0.isBeingEmptied = true } }

    /// Whether a file's removal was the last thing done to a file in the directory. Now another file is
    /// looked at.
    func takeRemoval() -> Bool {
        state.withLock { state in
            defer { state.isBeingEmptied = false }
            return state.isBeingEmptied
        }
    }
}

// Where it was seen.
extension Node {
    /// Notes that the object stands at the alias, which is now the first to look at. `ifReported`: not if the
    /// alias was withdrawn meanwhile.
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

    /// Makes the alias the first to look at. The object was found there, and not at the first one.
    func prefer(_ alias: NodeAlias) {
        state.withLock { state in
            guard let current = state.alias, state.removeOther(alias) else { return }
            if !current.isWithdrawn { state.addOther(current) }
            state.alias = alias
        }
    }

    /// Takes the alias from the node. The alias where the node was seen last stays, to be tried if all else
    /// fails, unless `isGone`: nothing of the node stands there.
    func forget(_ alias: NodeAlias, isGone: Bool) {
        state.withLock { state in
            state.removeOther(alias)
            guard let current = state.alias, current.isSame(as: alias) else { return }
            // A directory has only one alias: it isn't where it was before any more.
            if isGone || !isDirectory && state.hasOtherAliases {
                state.alias = isDirectory ? nil : state.takeOther()
            }
        }
    }

    /// Takes all aliases from the node, which the kernel has forgotten. Returns them.
    func forgetAliases() -> [NodeAlias] {
        state.withLock { state in
            defer { state.forgetOthers() }
            return state.aliases
        }
    }
}

extension Node.State {
    /// All aliases, the last seen first.
    var aliases: [NodeAlias] {
        guard let alias else { return otherAliases }
        return [alias] + otherAliases
    }
}

// What the kernel may keep.
extension Node.State {
    private func has(_ keeping: Node.Keeping) -> Bool { self.keeping.contains(keeping) }

    private mutating func set(_ keeping: Node.Keeping, _ isSo: Bool) {
        if isSo { self.keeping.insert(keeping) } else { self.keeping.remove(keeping) }
    }

    /// Whether the kernel may keep what it was told of the node for good: a directory's names and attributes,
    /// a file's attributes.
    var isCached: Bool {
        get { has(.cached) }
        set { set(.cached, newValue) }
    }

    /// Whether a watch was asked for and couldn't be had.
    var isDegraded: Bool {
        get { has(.degraded) }
        set { set(.degraded, newValue) }
    }

    /// Whether the kernel may keep a file's attributes for a moment, in which its directory's watch tells of
    /// changes.
    var isKeptByDirectory: Bool {
        get { has(.byDirectory) }
        set { set(newValue ? [.byDirectory, .onceByDirectory] : .byDirectory, newValue) }
    }

    /// Whether that was so before. A file that is asked for again gets its own watch.
    var wasKeptByDirectory: Bool { has(.onceByDirectory) }
}

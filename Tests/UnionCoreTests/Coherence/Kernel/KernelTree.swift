import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A name in a directory.
struct NameKey: Hashable, CustomStringConvertible {
    let parent: NodeID
    let name: String

    init(_ parent: NodeID, _ name: String) {
        self.parent = parent
        self.name = name
    }

    var description: String { "\(parent.rawValue)/\(name)" }
}

/// What the kernel keeps of a name: a dentry.
struct KernelName {
    /// nil: it is known to be missing.
    let node: NodeID?
    var seconds: Double
    let epoch: Int
    /// Tells it from another one of the same name.
    let serial: Int
}

struct KernelListing {
    let names: [String]
    /// Of the directory when the listing was asked for.
    let changes: UInt64
    let modified: Timestamp?
}

struct KernelInode {
    let isDirectory: Bool
    /// References that are to be given back.
    var lookups: UInt64 = 0
    var attributes: Attributes?
    var attributeSeconds: Double = 0
    /// When they were taken in.
    var attributesSince: UInt64 = 0
    /// `attr_version`: when the attributes were taken in or dropped last.
    var version: UInt64 = 0
    /// `iversion`: changes of a directory's entries that the kernel knows of.
    var changes: UInt64 = 0
    /// S_DEAD: a client has removed the directory.
    var isDead = false
    /// Open handles, working directories.
    var holders = 0
    var listing: KernelListing?
    /// A directory is at one place only.
    var place: NameKey?

    init(isDirectory: Bool) { self.isDirectory = isDirectory }

    /// Whether the attributes may be used. What was told for a moment lasts a second, so that a test sees it, and no
    /// longer.
    var hasAttributes: Bool {
        attributeSeconds > 1
            || attributeSeconds > 0 && monotonicNanoseconds() &- attributesSince < 1_000_000_000
    }
}

/// Names, inodes and mounts as Linux keeps them. Pure: no locks, and nobody is asked.
struct KernelTree {
    var names: [NameKey: KernelName] = [:]
    var inodes: [NodeID: KernelInode] = [.root: KernelInode(isDirectory: true)]
    /// What is mounted on which names.
    var mounts: [Int: NameKey] = [:]
    /// References to be given back.
    var forgets: [(node: NodeID, count: UInt64)] = []
    var version: UInt64 = 1
    var epoch = 0
    /// Somebody renames between directories of the mount: a directory can't be moved then.
    var isRenameLocked = false
    private var serial = 0

    /// As of when a reply is, which is about to be asked for.
    struct Asked {
        let version: UInt64
        let epoch: Int
    }

    var now: Asked { Asked(version: version, epoch: epoch) }

    mutating func nextVersion() -> UInt64 {
        version += 1
        return version
    }

    /// An entry of a reply is taken in. `asked` nil: its attributes count, whatever was learnt meanwhile.
    mutating func take(_ entry: Entry, asked: Asked?) throws(Errno) {
        let isDirectory = entry.attributes.kind == .directory
        var inode = inodes[entry.node] ?? KernelInode(isDirectory: isDirectory)
        inode.lookups += 1
        guard inode.isDirectory == isDirectory else {
            inodes[entry.node] = inode
            Issue.record("one node was told as a directory and as something else")
            throw .ioError
        }
        inodes[entry.node] = inode
        take(entry.attributes, of: entry.node, forSeconds: entry.freshness.attributeSeconds, asked: asked)
    }

    mutating func take(
        _ attributes: Attributes, of node: NodeID, forSeconds seconds: Double, asked: Asked?
    ) {
        guard var inode = inodes[node] else { return }
        if let asked, inode.version > asked.version { return }
        inode.attributes = attributes
        inode.attributeSeconds = seconds
        inode.attributesSince = monotonicNanoseconds()
        inode.version = nextVersion()
        inodes[node] = inode
    }

    /// The answer to a lookup becomes what the name is. ESTALE: a directory would have to be moved, and can't be.
    mutating func put(_ entry: Entry, at key: NameKey, asked: Asked) throws(Errno) {
        let (seconds, epoch) = (entry.freshness.entrySeconds, asked.epoch)
        guard entry.node.rawValue != 0 else {
            return set(key, to: nil, seconds: seconds, epoch: epoch)
        }
        try take(entry, asked: asked)
        if entry.attributes.kind == .directory { try moveDirectory(entry.node, to: key) }
        set(key, to: entry.node, seconds: seconds, epoch: epoch)
    }

    mutating func set(_ key: NameKey, to node: NodeID?, seconds: Double, epoch: Int) {
        serial += 1
        names[key] = KernelName(node: node, seconds: seconds, epoch: epoch, serial: serial)
        if let node, inodes[node]?.isDirectory == true { inodes[node]?.place = key }
    }

    /// d_splice_alias: what is known at another place moves here, with all below it and what is mounted on it.
    private mutating func moveDirectory(_ node: NodeID, to key: NameKey) throws(Errno) {
        guard let old = inodes[node]?.place, old != key else { return }
        if isWithin(key.parent, node) { throw .tooManySymbolicLinkLevels }
        if isRenameLocked && old.parent != key.parent { throw .staleNFSFileHandle }
        if names[old]?.node == node { names[old] = nil }
        for (mount, place) in mounts where place == old { mounts[mount] = key }
    }

    /// A name moves over another one, as rename(2) has it: d_move.
    mutating func move(_ key: NameKey, to newKey: NameKey) {
        for (mount, place) in mounts where place == newKey { mounts[mount] = nil }
        guard let moved = names.removeValue(forKey: key) else { return }
        names[newKey] = moved
        for (mount, place) in mounts where place == key { mounts[mount] = newKey }
        if let node = moved.node, inodes[node]?.isDirectory == true { inodes[node]?.place = newKey }
    }

    /// Where the name is by now that was `key`. nil: it has gone.
    func place(of name: KernelName, from key: NameKey) -> NameKey? {
        if names[key]?.serial == name.serial { return key }
        return names.first { $0.value.serial == name.serial }?.key
    }

    /// d_exchange.
    mutating func exchange(_ key: NameKey, _ newKey: NameKey) {
        let aside = NameKey(newKey.parent, "\u{1}aside")
        move(newKey, to: aside)
        move(key, to: newKey)
        move(aside, to: key)
    }

    /// Whether the directory is the other one or below it.
    func isWithin(_ directory: NodeID, _ other: NodeID) -> Bool {
        var current = directory
        for _ in 0..<100 {
            if current == other { return true }
            guard let place = inodes[current]?.place else { return false }
            current = place.parent
        }
        return false
    }
}

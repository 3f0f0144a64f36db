internal import LinuxSystem
internal import SystemPackage

/// The names of a directory that several layers back: each once, as the union shows them.
///
/// Layers are added top to bottom. A name that several layers have is the topmost's, and what a higher layer
/// whites out doesn't show. One array has all names, and a hash table of indices finds them.
struct MergedListing: Sendable {
    struct Item: Sendable {
        var start: UInt32
        var length: UInt16
        var kind: FileKind?
        /// Whether it is a whiteout or an empty orphan, which only hides what lower layers have.
        var isHidden: Bool
        /// Whether it is a skeleton in the upper whose origin no lower layer has shown yet.
        var isSkeleton: Bool
        /// Whether it is a skeleton that is marked as complete: then what lower layers have isn't its origin.
        var isComplete = false
        /// Whether a lower has something else under a skeleton's name: then nothing below that can be the
        /// origin.
        var isBlocked = false
        var inode: UInt64
        /// The hash of the name.
        let hash: UInt64
    }

    private(set) var items: [Item] = []
    private var names = NameBytes()
    /// Indices into `items`, -1 in free slots. The size is a power of two, and at most half of it is in use.
    private var slots: [Int32]
    private var pendingWhiteouts: [[UInt8]] = []
    /// What shows if the skeleton of that index doesn't.
    private var blocking: [Int: Item] = [:]

    /// Whether skeletons without their origins are among the names, shown or not.
    private(set) var hasOrphans = false

    /// Whether the union shows any name.
    var hasEntries: Bool { items.contains { !$0.isHidden } }

    /// `expected`: about how many names there will be.
    init(expecting expected: Int = 0) {
        let size = min(max(expected, 32), 1 << 20) * 2
        slots = Array(repeating: -1, count: 1 << (Int.bitWidth - (size - 1).leadingZeroBitCount))
        items.reserveCapacity(min(expected, 1 << 20))
    }

    /// Takes in one layer's directory, open for reading at its start. `caller`: reads as that caller, if the
    /// filesystem shows each its own.
    mutating func add(
        _ source: ListingSource, _ stream: inout DirectoryStream, _ layers: Layers,
        as caller: CallerIdentity? = nil
    ) throws(Errno) {
        let directory = stream.directory
        do {
            while let entry = try stream.next(of: source, as: caller) {
                if !entry.name.isDots { add(entry, source, directory, layers) }
            }
        } catch .noSuchFileOrDirectory {
            // The directory has gone: it has no entries.
        }
    }

    private mutating func add(
        _ entry: DirectoryEntry, _ source: ListingSource, _ directory: FileDescriptor, _ layers: Layers
    ) {
        if source.layer.isOCI && entry.name.hasPrefix(OCIName.whiteoutPrefix) {
            return addOCIWhiteout(entry.name)
        }
        // A stranger may have moved it here and marked nothing, and moved along what it stands for.
        let mayBeSkeleton = source.layer.isUpper && entry.kind == .directory
        let marks = mayBeSkeleton ? layers.marks(of: entry.name, in: directory) : []
        let item = Item(
            start: UInt32(truncatingIfNeeded: names.end),
            length: UInt16(truncatingIfNeeded: entry.name.count),
            kind: entry.kind, isHidden: layers.isHidden(entry, source, directory),
            isSkeleton: marks.contains(.skeleton), isComplete: marks.contains(.complete),
            inode: layers.numbering.number(of: entry.inode, filesystem: source.filesystem.index),
            hash: entry.name.hash)
        guard let known = insert(entry.name, item) else { return }
        guard items[known].isSkeleton, !items[known].isBlocked else { return }
        if entry.kind == .directory && !item.isHidden && !items[known].isComplete {
            // A lower has the directory that the upper's skeleton stands for: that lower is the owner.
            items[known].inode = item.inode
            items[known].isSkeleton = false
        } else {
            items[known].isBlocked = true
            blocking[known] = item
        }
    }

    /// Notes a whiteout of an OCI layer. It may come before or after the name itself, which it doesn't hide.
    /// At the end of the layer it is put under that name if the layer doesn't have the name, and ends the
    /// search below.
    private mutating func addOCIWhiteout(_ mark: PathRef) {
        if mark == OCIName.opaque { return }
        pendingWhiteouts.append(unsafe Array(mark.dropFirst(OCIName.whiteoutPrefix.count).bytes))
    }

    /// Ends the layer. From here on its OCI whiteouts hide the names that it doesn't have itself.
    mutating func endLayer() {
        for name in pendingWhiteouts {
            let hidden = OwnedName(name)
            let item = Item(
                start: UInt32(truncatingIfNeeded: names.end),
                length: UInt16(truncatingIfNeeded: name.count),
                kind: nil, isHidden: true, isSkeleton: false, inode: 0, hash: hidden.hash)
            _ = insert(hidden.ref, item)
        }
        pendingWhiteouts.removeAll()
    }

    /// Hides orphans once all layers are in: what is still a skeleton then is an orphan. It shows while it
    /// has entries, or never.
    mutating func hideOrphans(in upper: FileDescriptor, _ layers: Layers) {
        for index in items.indices where items[index].isSkeleton {
            hasOrphans = true
            if layers.policies.orphans == .keep,
                withName(of: items[index], { layers.hasEntries($0, in: upper) })
            {
                continue
            }
            items[index].isHidden = blocking[index]?.isHidden ?? true
            items[index].kind = blocking[index]?.kind ?? items[index].kind
            items[index].inode = blocking[index]?.inode ?? items[index].inode
        }
    }

    /// Adds the item. Returns the index of the item that has the name already; nil: it was added.
    private mutating func insert(_ name: PathRef, _ item: Item) -> Int? {
        if items.count * 2 >= slots.count { grow() }
        var slot = Int(truncatingIfNeeded: item.hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if items[index].hash == item.hash, isName(of: items[index], name) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(items.count)
        items.append(item)
        names.append(name)
        return nil
    }

    /// Drops the hash table once all names are in.
    mutating func end() { slots = [] }

    private mutating func grow() {
        var larger = [Int32](repeating: -1, count: slots.count * 2)
        for (index, item) in items.enumerated() {
            var slot = Int(truncatingIfNeeded: item.hash) & (larger.count - 1)
            while larger[slot] >= 0 { slot = (slot + 1) & (larger.count - 1) }
            larger[slot] = Int32(index)
        }
        slots = larger
    }

    private func isName(of item: Item, _ name: PathRef) -> Bool {
        Int(item.length) == name.count && withName(of: item) { $0 == name }
    }

    /// Lends an item's name.
    func withName<R>(of item: Item, _ body: (PathRef) -> R) -> R {
        names.withName(at: Int(item.start), count: Int(item.length), body)
    }
}

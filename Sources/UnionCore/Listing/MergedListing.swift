internal import LinuxSystem
internal import SystemPackage

/// The names of a directory that several layers back: each once, as the union shows them.
///
/// Layers are added top to bottom; a name that stands in several is the topmost's, and what a higher layer
/// whites out doesn't show. The bytes of all names lie in one array, found by a hash table of their indices.
struct MergedListing: Sendable {
    struct Item: Sendable {
        var start: UInt32
        var length: UInt16
        var kind: FileKind?
        /// Whiteouts and empty orphans: they only hide what lower layers have.
        var isHidden: Bool
        /// A skeleton in the upper whose origin no lower layer has shown yet.
        var isSkeleton: Bool
        /// A skeleton that is marked as complete: what lower layers have isn't its origin.
        var isComplete = false
        /// A lower has something else under a skeleton's name: nothing below it can be the origin.
        var isBlocked = false
        var inode: UInt64
        /// The name's.
        let hash: UInt64
    }

    private(set) var items: [Item] = []
    private var bytes: [UInt8] = []
    /// Indices into `items`, -1 where free; a power of two in size, at most half full.
    private var slots: [Int32]
    private var pendingWhiteouts: [[UInt8]] = []
    /// What shows if the skeleton of that index doesn't.
    private var blocking: [Int: Item] = [:]

    /// Skeletons without their origins are among the names, shown or not.
    private(set) var hasOrphans = false

    /// Whether the union shows any name.
    var hasEntries: Bool { items.contains { !$0.isHidden } }

    /// `expected`: about how many names there will be.
    init(expecting expected: Int = 0) {
        let size = min(max(expected, 32), 1 << 20) * 2
        slots = Array(repeating: -1, count: 1 << (Int.bitWidth - (size - 1).leadingZeroBitCount))
        items.reserveCapacity(min(expected, 1 << 20))
    }

    /// Takes in one layer's directory, open for reading at its start, as `caller` where it shows each its own.
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
            // The directory is gone: it has no entries.
        }
    }

    private mutating func add(
        _ entry: DirectoryEntry, _ source: ListingSource, _ directory: FileDescriptor, _ layers: Layers
    ) {
        if source.layer.isOCI && entry.name.hasPrefix(OCIName.whiteoutPrefix) {
            return addOCIWhiteout(entry.name)
        }
        let mayBeSkeleton = source.mayHoldSkeletons && entry.kind == .directory
        let marks = mayBeSkeleton ? layers.marks(of: entry.name, in: directory) : []
        let item = Item(
            start: UInt32(truncatingIfNeeded: bytes.count),
            length: UInt16(truncatingIfNeeded: entry.name.count),
            kind: entry.kind, isHidden: layers.isHidden(entry, source, directory),
            isSkeleton: marks.contains(.skeleton), isComplete: marks.contains(.complete),
            inode: layers.numbering.number(of: entry.inode, filesystem: source.filesystem.index),
            hash: entry.name.hash)
        guard let known = insert(entry.name, item) else { return }
        guard items[known].isSkeleton, !items[known].isBlocked else { return }
        if entry.kind == .directory && !item.isHidden && !items[known].isComplete {
            // A lower has the directory that the upper's skeleton stands for: it is the owner.
            items[known].inode = item.inode
            items[known].isSkeleton = false
        } else {
            items[known].isBlocked = true
            blocking[known] = item
        }
    }

    /// In an OCI layer the mark of a name may come before or after the name itself, which it doesn't hide:
    /// it is put under its own name, where no name of this layer is, and ends the search below.
    private mutating func addOCIWhiteout(_ mark: PathRef) {
        if mark == OCIName.opaque { return }
        pendingWhiteouts.append(unsafe Array(mark.dropFirst(OCIName.whiteoutPrefix.count).bytes))
    }

    /// The layer is through: what its OCI marks name, and it doesn't have itself, is hidden from here on.
    mutating func endLayer() {
        for name in pendingWhiteouts {
            let hidden = OwnedName(name)
            let item = Item(
                start: UInt32(truncatingIfNeeded: bytes.count),
                length: UInt16(truncatingIfNeeded: name.count),
                kind: nil, isHidden: true, isSkeleton: false, inode: 0, hash: hidden.ref.hash)
            _ = insert(hidden.ref, item)
        }
        pendingWhiteouts.removeAll()
    }

    /// What is still a skeleton once all layers are in is an orphan: it shows while it has entries, or never.
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

    /// Returns the index of the item that has the name already; nil after adding it.
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
        unsafe bytes.append(contentsOf: name.bytes)
        bytes.append(0)
        return nil
    }

    /// All names are in: none is looked for any more.
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
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return body("") }
            let start = unsafe (base + Int(item.start)).assumingMemoryBound(to: CChar.self)
            return body(unsafe PathRef(unsafe: start, count: Int(item.length)))
        }
    }
}

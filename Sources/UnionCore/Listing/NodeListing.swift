internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Listings without handles. If all layers are watched or static, the kernel opens directories by itself, and
// keeps their listings. It has checked that the caller may read the directory, so the server reads it as
// itself.

extension Listings {
    /// Lists a directory from `offset` (0: the start) until `emit` returns false. The item that `emit`
    /// refused is for the next call. `withFiles`: an item may come with its file, as LOOKUP would tell of it.
    /// Give the result to `finish` once the answer is out, or to `takeBack`.
    func readDirectory(
        of id: NodeID, offset: UInt64, room: Int, _ caller: CallerIdentity, withFiles: Bool,
        _ emit: (DirectoryItem, Entry?) -> Bool
    ) throws(Errno) -> ListingPart {
        if offset >= AheadListing.firstOffset, let listing = aheadListing(of: id, for: caller) {
            guard withFiles else { return ListingPart(node: id, mayBeKept: true, rest: nil) }
            return try tellPart(of: listing, caller, emit)
        }
        noteListing(of: id)
        let wanted = WantedPart(node: try resolver.node(id), offset: offset, room: room)
        wanted.node.state.withLock { $0.isListingReported = true }
        do throws(Errno) {
            return try readPart(wanted, caller, withFiles: withFiles, emit)
        } catch {
            // The directory has gone: it has no entries. It may come back with all that it had. The dots are
            // emitted all the same: the kernel couldn't be told to drop a listing without even these.
            if offset <= 1 { _ = emitDots(of: wanted.node, from: offset) { emit($0, nil) } }
            dropAfterReply(wanted.node)
            guard [.noSuchFileOrDirectory, .staleNFSFileHandle, .invalidArgument].contains(error) else {
                throw error
            }
            return ListingPart(node: id, mayBeKept: false, rest: nil)
        }
    }

    private func readPart(
        _ wanted: WantedPart, _ caller: CallerIdentity, withFiles: Bool,
        _ emit: (DirectoryItem, Entry?) -> Bool
    ) throws(Errno) -> ListingPart {
        let node = wanted.node
        var view = try resolver.view(of: node)
        let isKept = reporting.isKept(node, as: view, begun: coherence.now)
        // No event tells of this directory's changes.
        if !isKept { dropAfterReply(node) }
        var habit = ListingHabit.names
        if withFiles && isKept { habit = readdirPlus.begin(caller.pid, node.id, isFirst: wanted.offset == 0) }
        guard habit == .names else {
            try view.keepFingerprint()
            var files = ListedFiles(of: reporting, for: caller, habit)
            let rest = try listFiles(wanted, view, &files, emit)
            return ListingPart(node: node.id, mayBeKept: true, rest: rest, files: files)
        }
        var count = 0
        let rest = try listPart(wanted, view, isKept: isKept) { item in
            guard emit(item, nil) else { return false }
            if item.kind != .directory { count += 1 }
            return true
        }
        readdirPlus.noteListed(caller.pid, node.id, count: count)
        return ListingPart(node: node.id, mayBeKept: isKept, rest: rest)
    }

    /// Lists a part with files. If some files were reported, an error is left for the next request.
    private func listFiles(
        _ wanted: WantedPart, _ view: borrowing DirectoryView, _ files: inout ListedFiles,
        _ emit: (DirectoryItem, Entry?) -> Bool
    ) throws(Errno) -> PureListing? {
        do throws(Errno) {
            return try wanted.node.lookingUp { () throws(Errno) in
                try listPart(wanted, view, isKept: true) { item in
                    emitWithFile(item, of: wanted.node, view, &files, emit)
                }
            }
        } catch {
            if files.count == 0 { throw error }
            return nil
        }
    }

    /// Lists a part. Returns where the listing goes on, if that may be read ahead.
    private func listPart(
        _ wanted: WantedPart, _ view: borrowing DirectoryView, isKept: Bool, _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) -> PureListing? {
        let (node, offset) = (wanted.node, wanted.offset)
        guard let backing = listedAlone(node, view, from: offset) else {
            try list(try mergedListing(of: node, view, offset), node, from: offset, emit)
            return nil
        }
        var listing = try pureListing(backing, node, from: offset, wanted.room)
        let goesOn = try stream(&listing, node, emit)
        guard goesOn, isKept, mayBeReadAhead(view) else { return nil }
        return consume listing
    }

    /// Reads what will be asked for next, as the answer was sent and the client is at what it got.
    func finish(_ part: consuming ListingPart) {
        let node = part.node
        if let rest = part.rest { readOn(rest, of: node) }
        if let files = part.files { files.finish() }
    }

    /// Takes the part back, as the answer reached no client.
    func takeBack(_ part: consuming ListingPart) {
        if let files = part.files { files.takeBack() }
    }

    private func readOn(_ listing: consuming PureListing, of node: NodeID) {
        store.readahead.readOn(listing, of: node)
        if table.find(node) == nil { store.readahead.drop(node) }
    }

    /// Whether events tell of each change in the directory.
    private func mayBeReadAhead(_ view: borrowing DirectoryView) -> Bool {
        view.count == 1 && view.backings.allSatisfy { coherence.plan.choices[$0.layer.index].mode == .watch }
            && resolver.isOnMountsOfLayers(view)
    }

    /// The one directory whose own listing is streamed. nil: a merged listing is made.
    ///
    /// A pass goes on as it began, even if another layer has come to back the directory, or has ceased to.
    private func listedAlone(
        _ node: Node, _ view: borrowing DirectoryView, from offset: UInt64
    ) -> Backing? {
        let single = singleSource(of: view)
        if offset == 0 {
            if let single {
                store.merged.forget(node.id)
                node.state.withLock { $0.listedLayer = UInt16(truncatingIfNeeded: single.layer.index) }
            }
            return single
        }
        let isMerged = MergedOffset.isOne(offset)
        if let single { return isMerged && store.merged.find(node.id) != nil ? nil : single }
        guard !isMerged, offset > 2 else { return nil }
        let listed = node.state.withLock { $0.listedLayer }
        return view.backings.first { $0.layer.index == listed }
    }

    /// Has the kernel drop the listing that it is about to keep.
    private func dropAfterReply(_ node: Node) {
        if coherence.plan.isLasting { coherence.invalidations.append(.listing(node.id)) }
    }

    /// The merged listing for a pass. A pass that has begun goes on in the listing that it began with, if
    /// that is still there.
    private func mergedListing(
        of node: Node, _ view: borrowing DirectoryView, _ offset: UInt64
    ) throws(Errno) -> ListingCache.Listing {
        if offset != 0, let known = store.merged.find(node.id) { return known }
        let listing = ListingCache.Listing(try listAsServer(view))
        store.merged.keep(listing, of: node.id)
        // Orphans come and go with what they hold, however deep.
        if listing.merged.hasOrphans { dropAfterReply(node) }
        return listing
    }

    func openAsServer(_ backing: Backing) throws(Errno) -> OpenSource {
        let source = try listingSource(backing)
        let directory = try backing.directory.openBeneath("", flags: [.readOnly, .directory])
        layers.keepDirectoryTime(directory.descriptor)
        return OpenSource(source: source, directory: directory)
    }

    private func pureListing(
        _ backing: Backing, _ node: Node, from offset: UInt64, _ room: Int
    ) throws(Errno) -> PureListing {
        if let listing = takeReadahead(of: node, at: offset) { return listing }
        let size = min(room, 65536)
        var listing = PureListing(try openAsServer(backing), bufferSize: size, readahead: 2 * size)
        if offset != 0 { try listing.continue(at: offset) }
        return listing
    }

    private func takeReadahead(of node: Node, at offset: UInt64) -> PureListing? {
        guard offset != 0, store.readahead.has(node.id) else { return nil }
        coherence.source?.drain()
        return store.readahead.take(node.id, at: offset)
    }

    /// Emits the stream's items. False: this is the directory's end.
    func stream(
        _ listing: inout PureListing, _ node: Node, _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) -> Bool {
        let (source, directory) = (listing.source, listing.directory.descriptor)
        var hasEmitted = false
        // One read of the directory nearly fills the answer. The room that it leaves isn't worth a second
        // one.
        while !(hasEmitted && listing.stream.isAtEndOfBuffer) {
            guard let entry = try listing.stream.next() else { return false }
            if source.mayHoldSkeletons, entry.kind == .directory, layers.isSkeleton(entry.name, in: directory)
            {
                dropAfterReply(node)
            }
            if layers.isHiddenAlone(entry, source, directory) { continue }
            let item = DirectoryItem(
                name: entry.name, inode: inode(of: entry, source, node), kind: entry.kind,
                nextOffset: UInt64(bitPattern: entry.nextOffset))
            guard emit(item) else {
                listing.stream.unread()
                return true
            }
            hasEmitted = true
        }
        return true
    }

    func list(
        _ listing: ListingCache.Listing, _ node: Node, from offset: UInt64,
        _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        guard emitDots(of: node, from: offset, emit) else { return }
        for index in listing.indices(after: offset) {
            let item = listing.merged.items[Int(listing.order[index])]
            let goesOn = listing.merged.withName(of: item) { name in
                emit(
                    DirectoryItem(
                        name: name, inode: item.inode, kind: item.kind,
                        nextOffset: item.offset))
            }
            guard goesOn else { return }
        }
    }
}

/// The part of a listing that a client wants.
private struct WantedPart {
    let node: Node
    let offset: UInt64
    /// How many bytes the client takes.
    let room: Int
}

extension ListingCache.Listing {
    /// The part of the order behind the offset, found by a binary search.
    func indices(after offset: UInt64) -> Range<Int> {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if merged.items[Int(order[middle])].offset <= offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low..<order.count
    }
}

/// What was emitted of a listing.
public struct ListingPart: ~Copyable, Sendable {
    fileprivate let node: NodeID
    /// Whether the kernel may keep what it was told.
    public let mayBeKept: Bool
    /// Where the listing goes on, if that may be read ahead.
    fileprivate let rest: PureListing?
    fileprivate let files: ListedFiles?

    /// How many files it reports. `finish` sets watches on these.
    public let fileCount: Int

    fileprivate init(node: NodeID, mayBeKept: Bool, rest: consuming PureListing?) {
        self.node = node
        self.mayBeKept = mayBeKept
        self.rest = rest
        files = nil
        fileCount = 0
    }

    /// A part of what is told ahead.
    init(node: NodeID, files: consuming ListedFiles) {
        self.init(node: node, mayBeKept: true, rest: nil, files: files)
    }

    fileprivate init(
        node: NodeID, mayBeKept: Bool, rest: consuming PureListing?, files: consuming ListedFiles
    ) {
        self.node = node
        self.mayBeKept = mayBeKept
        self.rest = rest
        fileCount = files.count
        self.files = consume files
    }
}

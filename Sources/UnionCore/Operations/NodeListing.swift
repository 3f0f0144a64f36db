internal import LinuxSystem
internal import Synchronization
public import SystemPackage

// Listings without handles: where all layers are watched or static the kernel opens directories by itself, and
// keeps their listings. It has checked that the caller may read the directory; what is read here is read as
// the server.

extension Union {
    /// Lists a directory from `offset` (0: the start) until `emit` returns false, which leaves that item for
    /// the next call.
    public func readDirectory(
        of id: NodeID, offset: UInt64, room: Int, _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        let node = try node(id)
        node.state.withLock { $0.isListingTold = true }
        do throws(Errno) {
            let view = try view(of: node)
            // Nobody tells of this directory's changes.
            if !isKept(node, as: view) { dropAfterReply(node) }
            guard let single = singleSource(of: view) else {
                return try list(try mergedListing(of: node, view, offset), node, from: offset, emit)
            }
            try stream(single, node, from: offset, room: room, emit)
        } catch {
            // The directory is gone: it has no entries. It may come back with all it had; and a listing without
            // even the dots has nothing that the kernel could be told to drop.
            if offset <= 1 { _ = emitDots(of: node, from: offset, emit) }
            dropAfterReply(node)
            guard [.noSuchFileOrDirectory, .staleNFSFileHandle, .invalidArgument].contains(error) else {
                throw error
            }
        }
    }

    /// What the kernel is about to keep of the listing goes again.
    private func dropAfterReply(_ node: Node) {
        if coherence.plan.isLasting { coherence.invalidator.append(.listing(node.id)) }
    }

    /// A pass that has begun goes on in the listing it began with, as far as that is still there.
    private func mergedListing(
        of node: Node, _ view: borrowing DirectoryView, _ offset: UInt64
    ) throws(Errno) -> ListingCache.Listing {
        if offset != 0, let known = listings.find(node.id) { return known }
        let listing = ListingCache.Listing(
            try merge(view, as: nil) { backing throws(Errno) in
                try openAsServer(backing)
            })
        listings.keep(listing, of: node.id)
        // They come and go with what they hold, however deep.
        if listing.merged.hasOrphans { dropAfterReply(node) }
        return listing
    }

    private func openAsServer(_ backing: DirectoryView.Backing) throws(Errno) -> OpenSource {
        let source = try listingSource(backing)
        let directory = try backing.directory.openBeneath("", flags: [.readOnly, .directory])
        return OpenSource(source: source, directory: directory)
    }

    private func stream(
        _ backing: DirectoryView.Backing, _ node: Node, from offset: UInt64, room: Int,
        _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        let opened = try openAsServer(backing)
        var stream = DirectoryStream(reading: opened.directory.descriptor, bufferSize: min(room, 65536))
        if offset != 0 { try stream.seek(to: Int64(bitPattern: offset)) }
        let mayHoldOrphans = opened.source.mayHoldSkeletons
        var hasEmitted = false
        // One read of the directory fills the answer, nearly: what it leaves room for isn't worth a second one.
        while !(hasEmitted && stream.isAtEndOfBuffer), let entry = try stream.next() {
            if mayHoldOrphans, entry.kind == .directory,
                isSkeleton(entry.name, in: opened.directory.descriptor)
            {
                dropAfterReply(node)
            }
            if isHiddenAlone(entry, opened.source, opened.directory.descriptor) { continue }
            let item = DirectoryItem(
                name: entry.name, inode: inode(of: entry, opened.source, node), kind: entry.kind,
                nextOffset: UInt64(bitPattern: entry.nextOffset))
            guard emit(item) else { return }
            hasEmitted = true
        }
    }

    private func list(
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
                        nextOffset: MergedListing.offset(of: name)))
            }
            guard goesOn else { return }
        }
    }
}

extension ListingCache.Listing {
    /// The part of the order that lies behind the offset: a binary search.
    func indices(after offset: UInt64) -> Range<Int> {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if merged.offset(of: merged.items[Int(order[middle])]) <= offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low..<order.count
    }
}

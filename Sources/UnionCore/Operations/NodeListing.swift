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
        do throws(Errno) {
            let view = try view(of: node)
            try noteStrayListing(of: node, view)
            guard let single = singleSource(of: view) else {
                return try list(try mergedListing(of: node, view, offset), node, from: offset, emit)
            }
            try stream(single, node, from: offset, room: room, emit)
        } catch {
            guard [.noSuchFileOrDirectory, .staleNFSFileHandle, .invalidArgument].contains(error) else {
                throw error
            }
            // The directory is gone: it has no entries. Should it come back, it may have some, and a listing of
            // no bytes at all would never go from the kernel: it is dropped by its pages.
            _ = emitDots(of: node, from: offset, emit)
            noteStrayListing(of: node)
        }
    }

    /// The kernel keeps every listing. One of directories that aren't watched for the node must go again.
    private func noteStrayListing(of node: Node, _ view: borrowing DirectoryView) throws(Errno) {
        guard coherence.plan.isLasting, try entrySeconds(in: node, view) == 0 else { return }
        noteStrayListing(of: node)
    }

    private func noteStrayListing(of node: Node) {
        guard coherence.plan.isLasting else { return }
        coherence.invalidator.append(.listing(node.id))
    }

    /// A pass that has begun goes on in the listing it began with, as far as that is still there.
    private func mergedListing(
        of node: Node, _ view: borrowing DirectoryView, _ offset: UInt64
    ) throws(Errno) -> ListingCache.Listing {
        if offset != 0, let known = listings.find(node.id) { return known }
        let listing = ListingCache.Listing(
            try merge(view) { backing throws(Errno) in
                try openAsServer(backing)
            })
        listings.keep(listing, of: node.id)
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
        while let entry = try stream.next() {
            if isHiddenAlone(entry, opened.source, opened.directory.descriptor) { continue }
            let item = DirectoryItem(
                name: entry.name, inode: inode(of: entry, opened.source, node), kind: entry.kind,
                nextOffset: UInt64(bitPattern: entry.nextOffset))
            guard emit(item) else { return }
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

internal import LinuxSystem
internal import SystemPackage

extension Listings {
    /// In nanoseconds. A program that opens a directory to list it begins within that time.
    private static var justNow: UInt64 { 10_000_000 }

    /// Looks at the layers anew for a listing that starts over.
    func refresh(
        _ state: inout DirectoryHandle.State, _ node: Node, _ offset: UInt64, _ caller: CallerIdentity
    ) throws(Errno) {
        guard offset == 0 else { return }
        if let openedAt = state.openedAt.take(), monotonicNanoseconds() - openedAt < Self.justNow { return }
        do {
            state.listing = try openListing(of: node, caller)
        } catch .noSuchFileOrDirectory, .staleNFSFileHandle {
            state.listing = nil
        }
    }

    func openListing(of node: Node, _ caller: CallerIdentity) throws(Errno) -> Listing {
        let view = try resolver.viewToLook(of: node, for: caller)
        if let single = singleSource(of: view) {
            let opened = try openSource(single, of: node, caller)
            return .pure(PureListing(opened))
        }
        return .opened(
            try openAll(view) { backing throws(Errno) in try openSource(backing, of: node, caller) })
    }

    /// All names of a directory, as the server sees them.
    func listAsServer(_ view: borrowing DirectoryView) throws(Errno) -> MergedListing {
        try merge(try openAll(view) { backing throws(Errno) in try openAsServer(backing) }, as: nil)
    }

    private func openAll(
        _ view: borrowing DirectoryView, _ open: (Backing) throws(Errno) -> OpenSource
    ) throws(Errno) -> LayerReadings {
        // What the failed layer has would be part of the listing.
        if let failure = view.failure { throw failure }
        var readings: [LayerReading] = []
        for backing in view.backings { readings.append(LayerReading(try open(backing))) }
        return LayerReadings(readings)
    }

    /// Merges the listings of all real directories. `caller` nil: as the server sees them.
    private func merge(
        _ readings: LayerReadings, as caller: CallerIdentity?
    ) throws(Errno) -> MergedListing {
        var listing = MergedListing(expecting: readings.expectedNames)
        for index in 0..<readings.count {
            var stream = readings.stream(of: index)
            try listing.add(readings[index].source, &stream, layers, as: caller)
            listing.endLayer()
        }
        if let upper = readings.upper { listing.hideOrphans(in: upper.directory.descriptor, layers) }
        listing.end()
        return listing
    }

    /// The one directory that the listing is: the only one, or with `complete=lower` the topmost lower's.
    /// nil: several are merged.
    func singleSource(of view: borrowing DirectoryView) -> Backing? {
        if view.count == 1 { return view.backings.first }
        guard policies.lowerIsComplete else { return nil }
        return view.backings.first { !$0.layer.isUpper }
    }

    /// Opens a real directory for a listing. A skeleton is bookkeeping, so the server opens it as itself.
    /// Every other directory is opened as the caller.
    private func openSource(
        _ backing: Backing, of node: Node, _ caller: CallerIdentity
    ) throws(Errno) -> OpenSource {
        let source = try listingSource(backing)
        let filesystem = source.filesystem
        let flags: OpenFlags = [.readOnly, .directory]
        if backing.layer.isUpper && source.marks.contains(.skeleton) {
            let directory = try backing.directory.openBeneath("", flags: flags)
            return OpenSource(source: source, directory: directory)
        }
        if filesystem.type == .proc, let opened = try agents.openElsewhere(source, backing, of: node, caller)
        {
            return opened
        }
        let directory = try caller.perform(exact: filesystem.isPseudo) {
            () throws(Errno) -> OwnedDescriptor in
            if filesystem.isPseudo { try resolver.checkReach(of: node, in: backing) }
            return try backing.directory.reopen(flags: flags)
        }
        layers.keepDirectoryTime(directory.descriptor)
        return OpenSource(source: source, directory: directory)
    }

    func listingSource(_ backing: Backing) throws(Errno) -> ListingSource {
        let status = try backing.directory.status()
        let filesystem = stack.filesystems.facts(of: status.device, asking: backing.directory)
        // Of the pseudo filesystems only bpffs, as an upper, has marked directories.
        let isMarked = backing.layer.isUpper || !filesystem.isPseudo
        let marks = isMarked ? layers.marks(of: "", in: backing.directory) : []
        return ListingSource(
            layer: backing.layer, filesystem: filesystem, marks: marks, isRoot: backing.isRoot,
            size: status.size)
    }

    func list(
        _ state: inout DirectoryHandle.State, _ node: Node, from offset: UInt64, _ caller: CallerIdentity,
        _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        switch state.listing.take() {
        case .pure(var pure):
            var failure: Errno?
            do throws(Errno) {
                try stream(&pure, node, from: offset, caller, emit)
            } catch {
                // The directory has gone, and has no entries. Some filesystems then know no offsets in it.
                if error != .noSuchFileOrDirectory && error != .invalidArgument { failure = error }
            }
            state.listing = .pure(pure)
            if let failure { throw failure }
        case .opened(let readings):
            let listing = try merge(readings, as: caller)
            list(listing, node, from: offset, emit)
            state.listing = .merged(listing)
        case .merged(let listing):
            list(listing, node, from: offset, emit)
            state.listing = .merged(listing)
        case nil:
            break
        }
    }

    private func stream(
        _ pure: inout PureListing, _ node: Node, from offset: UInt64, _ caller: CallerIdentity,
        _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        try pure.continue(at: offset)
        let source = pure.source
        while let entry = try pure.stream.next(of: source, as: caller) {
            if layers.isHiddenAlone(entry, source, pure.directory.descriptor) { continue }
            let item = DirectoryItem(
                name: entry.name, inode: inode(of: entry, source, node), kind: entry.kind,
                nextOffset: UInt64(bitPattern: entry.nextOffset))
            guard emit(item) else {
                pure.stream.unread()
                return
            }
        }
    }

    func inode(of entry: DirectoryEntry, _ source: ListingSource, _ node: Node) -> UInt64 {
        if entry.name == ".." { return parentNumber(of: node) }
        if entry.name == "." { return number(of: node) }
        return layers.numbering.number(of: entry.inode, filesystem: source.filesystem.index)
    }

    func list(
        _ listing: borrowing MergedListing, _ node: Node, from offset: UInt64,
        _ emit: (DirectoryItem) -> Bool
    ) {
        guard emitDots(of: node, from: offset, emit) else { return }
        var index = offset > 2 ? Int(clamping: offset - 2) : 0
        while index < listing.items.count {
            let found = listing.items[index]
            index += 1
            if found.isHidden { continue }
            let goesOn = listing.withName(of: found) { name in
                emit(
                    DirectoryItem(
                        name: name, inode: found.inode, kind: found.kind, nextOffset: UInt64(index) + 2))
            }
            guard goesOn else { return }
        }
    }

    /// Emits "." and "..". The first has offset 0, and both go before all others.
    func emitDots(of node: Node, from offset: UInt64, _ emit: (DirectoryItem) -> Bool) -> Bool {
        if offset == 0 {
            let item = DirectoryItem(name: ".", inode: number(of: node), kind: .directory, nextOffset: 1)
            guard emit(item) else { return false }
        }
        guard offset <= 1 else { return true }
        return emit(
            DirectoryItem(name: "..", inode: parentNumber(of: node), kind: .directory, nextOffset: 2))
    }

    private func number(of node: Node) -> UInt64 {
        layers.numbering.number(of: node.identity.inode, filesystem: node.filesystem.index)
    }

    private func parentNumber(of node: Node) -> UInt64 { number(of: node.alias?.parent ?? node) }
}

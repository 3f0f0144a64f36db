public import LinuxSystem
internal import Synchronization
public import SystemPackage

// Listings. A pure directory's is its layer's own, streamed; the offsets are that filesystem's. A merged
// directory's is a snapshot from the moment the listing started, and its offsets count its names: an entry
// that is there from opendir to closedir shows exactly once.

extension Union {
    /// Opens the real directories as the caller.
    public func openDirectory(
        _ id: NodeID, _ caller: CallerIdentity
    ) throws(Errno) -> OpenedDirectory {
        let node = try node(id)
        var listing: Listing?
        do throws(Errno) {
            listing = try openListing(of: node, caller)
        } catch .noSuchFileOrDirectory {
            // Removed while somebody is in it: it can be opened, and holds nothing.
        }
        let handle = directories.insert(DirectoryHandle(node: node, listing: listing))
        return OpenedDirectory(handle: handle, cacheListing: false, keepCache: false)
    }

    public func releaseDirectory(_ handle: HandleID) {
        _ = directories.remove(handle)
    }

    /// Lists from `offset` (0: the start) until `emit` returns false, which leaves that item for the next call.
    public func readDirectory(
        _ id: HandleID, offset: UInt64, _ caller: CallerIdentity, _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        guard let handle = directories.find(id) else { throw .badFileDescriptor }
        let result: Result<Void, Errno> = handle.state.withLock { state in
            do throws(Errno) {
                try refresh(&state, handle.node, offset, caller)
                try list(&state, handle.node, from: offset, caller, emit)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// fsync(2) of the directory: of each real one in a writable layer.
    public func synchronizeDirectory(_ id: NodeID, dataOnly: Bool) throws(Errno) {
        let node = try node(id)
        guard let view = try? view(of: node) else {
            // Nothing of a removed directory can be lost.
            return try checkSynchronizes(node.filesystem)
        }
        let isPseudo = view.count == 1 && !view.backings[0].isRoot && node.filesystem.isPseudo
        for backing in view.backings where !backing.layer.isReadOnly {
            let real = try backing.directory.openBeneath("", flags: [.readOnly, .directory])
            do {
                try real.descriptor.synchronize(dataOnly: dataOnly)
            } catch .invalidArgument where !isPseudo {
                // A pseudo filesystem's part: there is nothing that could be lost.
            }
        }
    }

    /// EINVAL: pseudo filesystems have no fsync(2) of directories.
    private func checkSynchronizes(_ filesystem: FilesystemFacts) throws(Errno) {
        if filesystem.isPseudo { throw .invalidArgument }
    }

    /// In nanoseconds: who opens a directory to list it begins within that time.
    private static var justNow: UInt64 { 10_000_000 }

    /// A listing that starts over looks at the layers anew.
    private func refresh(
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
}

// Opening
extension Union {
    private func openListing(of node: Node, _ caller: CallerIdentity) throws(Errno) -> Listing {
        let view = try viewToLook(of: node, for: caller)
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
        _ view: borrowing DirectoryView, _ open: (DirectoryView.Backing) throws(Errno) -> OpenSource
    ) throws(Errno) -> LayerReadings {
        // What the layer that failed has is part of it.
        if let failure = view.failure { throw failure }
        var readings: [LayerReading] = []
        for backing in view.backings { readings.append(LayerReading(try open(backing))) }
        return LayerReadings(readings)
    }

    /// The listings of all real directories as one. `caller` nil: as the server sees them.
    private func merge(
        _ readings: LayerReadings, as caller: CallerIdentity?
    ) throws(Errno) -> MergedListing {
        var listing = MergedListing(expecting: readings.expectedNames)
        for index in 0..<readings.count {
            var stream = readings.stream(of: index)
            try listing.add(readings[index].source, &stream, self, as: caller)
            listing.endLayer()
        }
        if let upper = readings.upper { listing.hideOrphans(in: upper.directory.descriptor, self) }
        listing.end()
        return listing
    }

    /// The one directory that the listing is: the only one, or the topmost lower's under `complete=lower`.
    func singleSource(of view: borrowing DirectoryView) -> DirectoryView.Backing? {
        if view.count == 1 { return view.backings.first }
        guard policies.lowerIsComplete else { return nil }
        return view.backings.first { !$0.layer.isUpper }
    }

    /// A skeleton is bookkeeping, and opened as the server; every other directory as the caller.
    private func openSource(
        _ backing: DirectoryView.Backing, of node: Node, _ caller: CallerIdentity
    ) throws(Errno) -> OpenSource {
        let source = try listingSource(backing)
        let filesystem = source.filesystem
        let flags: OpenFlags = [.readOnly, .directory]
        if backing.layer.isUpper && source.marks.contains(.skeleton) {
            let directory = try backing.directory.openBeneath("", flags: flags)
            return OpenSource(source: source, directory: directory)
        }
        if filesystem.type == .proc, let opened = try openElsewhere(source, backing, of: node, caller) {
            return opened
        }
        let directory = try asCaller(caller, exact: filesystem.isPseudo) {
            () throws(Errno) -> OwnedDescriptor in
            if filesystem.isPseudo { try checkReach(of: node, in: backing) }
            return try backing.directory.reopen(flags: flags)
        }
        keepDirectoryTime(directory.descriptor)
        return OpenSource(source: source, directory: directory)
    }
}

extension Union {
    func listingSource(_ backing: DirectoryView.Backing) throws(Errno) -> ListingSource {
        let status = try backing.directory.status()
        let filesystem = stack.filesystems.facts(of: status.device, asking: backing.directory)
        // Of the pseudo filesystems only bpffs, as an upper, has marked directories.
        let isMarked = backing.layer.isUpper || !filesystem.isPseudo
        let marks = isMarked ? self.marks(of: "", in: backing.directory) : []
        return ListingSource(
            layer: backing.layer, filesystem: filesystem, marks: marks, isRoot: backing.isRoot,
            size: status.size)
    }
}

// Reading
extension Union {
    private func list(
        _ state: inout DirectoryHandle.State, _ node: Node, from offset: UInt64, _ caller: CallerIdentity,
        _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        switch state.listing.take() {
        case .pure(var pure):
            var failure: Errno?
            do throws(Errno) {
                try stream(&pure, node, from: offset, caller, emit)
            } catch {
                // The directory is gone, and has no entries. Some filesystems then know no offsets in it.
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
        while let entry = try nextEntry(&pure.stream, source, caller) {
            if isHiddenAlone(entry, source, pure.directory.descriptor) { continue }
            let item = DirectoryItem(
                name: entry.name, inode: inode(of: entry, source, node), kind: entry.kind,
                nextOffset: UInt64(bitPattern: entry.nextOffset))
            guard emit(item) else {
                pure.stream.unread()
                return
            }
        }
    }

    func nextEntry(
        _ stream: inout DirectoryStream, _ source: ListingSource, _ caller: CallerIdentity?
    ) throws(Errno) -> DirectoryEntry? {
        while let entry = try readEntry(&stream, source, caller) {
            if let filter = source.filter, filter.hides(entry.name) { continue }
            return entry
        }
        return nil
    }

    /// Pseudo filesystems show each reader its own: proc hides by who asks.
    private func readEntry(
        _ stream: inout DirectoryStream, _ source: ListingSource, _ caller: CallerIdentity?
    ) throws(Errno) -> DirectoryEntry? {
        guard let caller, source.filesystem.isPseudo, stream.isAtEndOfBuffer else { return try stream.next() }
        if let agent = source.filter?.agent(for: caller) { return try stream.next(by: agent) }
        let scope = try CredentialScope(becoming: caller, .exact)
        let entry = try stream.next()
        scope.end()
        return entry
    }

    func inode(of entry: DirectoryEntry, _ source: ListingSource, _ node: Node) -> UInt64 {
        if entry.name == ".." { return parentNumber(of: node) }
        if entry.name == "." { return number(of: node) }
        return numbering.number(of: entry.inode, filesystem: source.filesystem.index)
    }

    private func list(
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

    /// "." and "..", of which the first has offset 0 and both go before all others.
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
        numbering.number(of: node.identity.inode, filesystem: node.filesystem.index)
    }

    private func parentNumber(of node: Node) -> UInt64 { number(of: node.place?.parent ?? node) }
}

extension Union {
    /// What a real directory lists and the union doesn't show: whiteouts, marks, empty orphans.
    func isHidden(_ entry: DirectoryEntry, _ source: ListingSource, _ directory: FileDescriptor) -> Bool {
        let layer = source.layer
        if layer.isOCI && entry.name.hasPrefix(OCIName.whiteoutPrefix) { return true }
        if layer.isUpper && source.isRoot && work.isReserved(entry.name) { return true }
        switch entry.kind {
        case .characterDevice, nil:
            return (try? directory.status(at: entry.name))?.isWhiteoutDevice == true
        case .regular where source.marks.contains(.attributeWhiteouts):
            guard let status = try? directory.status(at: entry.name), status.size == 0 else { return false }
            return directory.hasWhiteoutAttribute(at: entry.name)
        case .symlink where layer.filesystem.type == .bpf:
            return isLinkWhiteout(entry.name, in: directory)
        default:
            return false
        }
    }
}

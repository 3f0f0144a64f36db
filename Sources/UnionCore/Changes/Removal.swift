internal import LinuxSystem
internal import SystemPackage

extension Changes {
    /// Unlinks the files that stand under the name in writable layers, bottom up. Leaves the upper's file if
    /// a whiteout is about to replace it (`except`).
    func removeFiles(
        _ layerEntries: some BidirectionalCollection<LayerEntry>, _ name: PathRef,
        _ view: borrowing DirectoryView, except upper: FileDescriptor?, _ caller: CallerIdentity
    ) throws(Errno) {
        for layerEntry in layerEntries.reversed() {
            if layerEntry.isWhiteout || layerEntry.isDirectory || layerEntry.layer.isReadOnly { continue }
            if upper != nil && layerEntry.layer.isUpper { continue }
            guard let directory = view.directory(in: layerEntry.layer.index) else { continue }
            let isPseudo = view.isPseudo(in: layerEntry.layer)
            do {
                try layers.asCaller(caller, in: directory, isPseudo: isPseudo) { () throws(Errno) in
                    try directory.unlink(at: name)
                }
            } catch .noSuchFileOrDirectory where layerEntry.layer !== layerEntries.first?.layer {
                // It has gone meanwhile, and the union didn't show it.
            }
        }
    }

    /// Removes an empty directory as the caller. False: something is in it. `isPseudo`: see `asCaller`.
    func removePlain(
        _ name: PathRef, in directory: FileDescriptor, isPseudo: Bool? = nil, _ caller: CallerIdentity
    ) throws(Errno) -> Bool {
        do {
            try layers.asCaller(caller, in: directory, isPseudo: isPseudo) { () throws(Errno) in
                try directory.removeDirectory(at: name)
            }
            return true
        } catch .directoryNotEmpty, .fileExists {
            return false
        }
    }

    /// Whether the part is a directory that lists whatever keeps it from being removed.
    func isOrdinary(_ part: LayerEntry) throws(Errno) -> Bool {
        guard let facts = stack.filesystems.find(part.status.device), facts.isPseudo else { return true }
        // bpffs holds what its users put there, and as an upper nothing else.
        return part.layer.isUpper && facts.type == .bpf
    }

    /// Throws ENOTEMPTY if the union shows an entry in the directory. Pseudo filesystems' parts don't count.
    func checkEmpty(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) {
        var listing = MergedListing()
        var upper: OwnedDescriptor?
        for part in lookup.visible where try isOrdinary(part) {
            let real = try resolver.openEntry(
                part, name, in: view, flags: [.readOnly, .directory, .noFollow])
            let source = ListingSource(
                layer: part.layer, filesystem: part.layer.filesystem,
                marks: layers.marks(of: "", in: real.descriptor), isRoot: false, size: 0)
            var stream = DirectoryStream(reading: real.descriptor)
            try listing.add(source, &stream, layers)
            listing.endLayer()
            if part.layer.isUpper { upper = consume real }
        }
        if let upper { listing.hideOrphans(in: upper.descriptor, layers) }
        if listing.hasEntries { throw .directoryNotEmpty }
    }
}

internal import LinuxSystem
internal import SystemPackage

/// How a name is taken from the union: what goes from its layer, and whether a whiteout hides what stays.
struct RemovalPlan {
    /// What goes from its layer, in this order: bottom up. What the whiteout itself replaces isn't among it.
    let removed: [LayerEntry]
    /// Whether a whiteout in the upper covers the name.
    let isCovered: Bool
    /// Whether what goes hides what stays: then the whiteout comes first.
    let uncovers: Bool

    /// `staying`: the layers in which a part of the directory stays behind.
    init(_ lookup: NameLookup, isDirectory: Bool, isCovered: Bool, staying: [Int] = []) {
        self.isCovered = isCovered
        let removed = lookup.layerEntries.indices.reversed().compactMap { position -> LayerEntry? in
            let layerEntry = lookup.layerEntries[position]
            if layerEntry.isWhiteout || layerEntry.layer.isReadOnly || layerEntry.elsewhere != nil {
                return nil
            }
            if isCovered && layerEntry.layer.isUpper || staying.contains(layerEntry.layer.index) {
                return nil
            }
            let isPart = isDirectory && position < lookup.visibleCount
            return layerEntry.isDirectory && !isPart ? nil : layerEntry
        }
        self.removed = removed
        uncovers =
            isCovered
            && removed.contains { going in
                !going.layer.isUpper && lookup.visible.contains { $0.layer === going.layer }
            }
    }

    /// The layers that something goes from, in the order of `removed`.
    var layers: [Int] { removed.map(\.layer.index) }
}

extension Changes {
    /// Whether only a whiteout can take the layer entry from sight.
    func mustBeCovered(_ layerEntry: LayerEntry) -> Bool {
        !layerEntry.isWhiteout && (layerEntry.layer.isReadOnly || layerEntry.isDirectory)
    }

    /// How unlink(2) or rmdir(2) removes what the lookup shows. ENOENT, EISDIR, ENOTDIR and ENOTEMPTY are
    /// those of the two calls. EROFS, EBUSY: the removal would take a whiteout, and there can be none.
    func removalPlan(
        _ lookup: NameLookup, isDirectory: Bool, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) throws(Errno) -> RemovalPlan {
        guard let owner = lookup.owner else { throw .noSuchFileOrDirectory }
        guard owner.isDirectory == isDirectory else { throw isDirectory ? .notDirectory : .isDirectory }
        let staying = isDirectory ? try staysBehind(lookup, name, in: directory, view) : []
        let others = isDirectory ? lookup.hidden[...] : lookup.layerEntries[...]
        let isCovered = !staying.isEmpty || others.contains { mustBeCovered($0) }
        if isCovered { try checkCover(lookup) }
        return RemovalPlan(lookup, isDirectory: isDirectory, isCovered: isCovered, staying: staying)
    }

    /// The layers with a part that a whiteout must hide. The directory is empty to users.
    private func staysBehind(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) -> [Int] {
        try checkEmpty(lookup, name, in: directory, view)
        var staying: [Int] = []
        for part in lookup.visible where !part.layer.isUpper || part.layer.isReadOnly {
            if part.layer.isReadOnly {
                staying.append(part.layer.index)
                continue
            }
            // Whiteouts above hide what keeps it from going: it stays, and is hidden itself.
            guard try isOrdinary(part), let parent = view.directory(in: part.layer.index) else { continue }
            if try !isBare(name, in: parent) { staying.append(part.layer.index) }
        }
        return staying
    }

    /// Checks that a whiteout can be put over what the lookup has. EROFS: it can't. EBUSY: it can't, and only
    /// hidden directories need it.
    func checkCover(_ lookup: NameLookup) throws(Errno) {
        let isReadOnly = lookup.layerEntries.contains { !$0.isWhiteout && $0.layer.isReadOnly }
        let error: Errno = isReadOnly ? .readOnlyFileSystem : .resourceBusy
        guard policies.whiteout == .auto, let upper = stack.upper, !upper.isReadOnly else { throw error }
        // A rule may have lower layers looked at before the upper.
        for layerEntry in lookup.layerEntries where mustBeCovered(layerEntry) && !layerEntry.layer.isUpper {
            guard lookup.isAbove(upper, layerEntry.layer) else { throw error }
        }
    }
}

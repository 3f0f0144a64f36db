internal import LinuxSystem
internal import SystemPackage

/// One layer's part of a merged directory that moves.
struct MovingPart {
    let layerEntry: LayerEntry
    let from: FileDescriptor
    let to: FileDescriptor
    /// What has the new name in that layer: an empty directory, or what the union doesn't show.
    var replaced: FileStatus?
    let isPseudo: Bool
    /// Whether the old name is now that of what was replaced.
    var isExchanged = false
}

/// What the rename of a merged directory is about, found out before anything is changed.
struct MergedRename: ~Copyable {
    var source: Target
    var destination: Target
    let name: PathRef
    let newName: PathRef
    let caller: CallerIdentity
    /// The error where the rename can't be done.
    let refusal: Errno
    /// The parts, in the order in which they move.
    var parts: [MovingPart] = []
    /// Whether lower layers have directories of the new name, which mustn't become part of this one.
    var shutsOut = false
    /// What the upper has under the new name. It must make way.
    var inTheWay: FileStatus?
    /// The upper's directory in which a whiteout is to cover the old name.
    var cover: FileDescriptor?
    /// Whether the rename failed and couldn't be undone: the next mount must see to it.
    var isTorn = false

    /// The lowest part. A mark on it shuts out what lies below.
    var lowest: MovingPart? { parts.max { $0.layerEntry.layer.index < $1.layerEntry.layer.index } }
}

extension Changes {
    /// Fills in the parts, and what stands in their way. ENOTDIR, ENOTEMPTY: what stands under the new name
    /// isn't an empty directory. EXDEV, EPERM: the rename can't be done.
    func planMerged(_ rename: inout MergedRename) throws(Errno) {
        let lookup = rename.destination.lookup
        if let replaced = lookup.owner {
            guard replaced.isDirectory else { throw .notDirectory }
            try checkEmpty(lookup, rename.newName, in: rename.destination.directory, rename.destination.view)
        }
        let replaced = try lookAround(&rename)
        try findParts(&rename, replaced)
        // From here on directories may be made in the upper, which no user sees.
        if rename.source.lookup.hidden.contains(where: { mustBeCovered($0) }) {
            rename.cover = try upperDirectory(for: rename.source.directory, &rename.source.view)
        }
        guard let unseen = rename.destination.lookup.unseen, let upper = stack.upper else { return }
        let directory = try directory(of: rename.destination.directory, &rename.destination.view, in: upper)
        let path = try resolver.path(of: rename.newName, in: rename.destination.directory)
        try layers.stash(rename.newName, in: directory, at: path, expecting: unseen.status)
    }

    /// Looks at all that has the new name, whether the union shows it or not. Returns what stands in the way
    /// of parts in their own layers, by layer.
    private func lookAround(_ rename: inout MergedRename) throws(Errno) -> [Int: FileStatus] {
        let visible = rename.source.lookup.visible
        // A rule may have the layers looked at in another order.
        guard let lowest = visible.last?.layer.index, let topmost = visible.first?.layer.index,
            topmost < lowest,
            resolver.readPolicy(of: rename.newName, in: rename.destination.directory, rename.destination.view)
                == nil
        else { throw rename.refusal }
        var replaced: [Int: FileStatus] = [:]
        for backing in rename.destination.view.backings {
            let layer = backing.layer
            let found = try resolver.layerEntry(of: rename.newName, in: backing, isLowest: false)
            if layer.index > lowest {
                rename.shutsOut = found?.isDirectory == true
                if found != nil || hidesBelow(rename.newName, backing) { break }
                continue
            }
            if layer.index < lowest, hidesBelow(rename.newName, backing) { throw rename.refusal }
            if let found { try lookAt(found, in: backing, &rename, &replaced) }
            if hidesBelow(rename.newName, backing) { break }
        }
        return replaced
    }

    /// Notes what stands in the way of a part in its own layer, or above it.
    private func lookAt(
        _ found: LayerEntry, in backing: Backing, _ rename: inout MergedRename,
        _ replaced: inout [Int: FileStatus]
    ) throws(Errno) {
        let layer = backing.layer
        if layer.isUpper {
            if layer.isReadOnly { throw rename.refusal }
            if rename.destination.lookup.unseen?.layer !== layer { rename.inTheWay = found.status }
        } else if rename.source.lookup.visible.contains(where: { $0.layer === layer }) {
            try checkReplaceable(found, in: backing, rename)
            replaced[layer.index] = found.status
        } else {
            throw rename.refusal
        }
    }

    private func hidesBelow(_ name: PathRef, _ backing: Backing) -> Bool {
        backing.layer.isOCI && layers.isOCIWhiteout(name, in: backing.directory)
    }

    /// Checks that what a part is to replace in its own layer can be removed for good, or be put back.
    private func checkReplaceable(
        _ found: LayerEntry, in backing: Backing, _ rename: borrowing MergedRename
    ) throws(Errno) {
        // The layer's own rename decides about that.
        if resolver.isOnPseudo(found) || !found.isDirectory { return }
        // Whiteouts above hide what is in it.
        if try !isBare(rename.newName, in: backing.directory) { throw rename.refusal }
    }

    /// Finds the parts in the order in which they move. Pseudo filesystems go first, as they refuse most; the
    /// upper goes last.
    private func findParts(_ rename: inout MergedRename, _ replaced: [Int: FileStatus]) throws(Errno) {
        let visible = rename.source.lookup.visible
        // Checked before any directory is made, so that none is made for a rename that can't be done.
        for layerEntry in visible where !layerEntry.layer.isUpper {
            if rename.destination.view.directory(in: layerEntry.layer.index) == nil { throw rename.refusal }
        }
        let lowers = visible.reversed().filter { !$0.layer.isUpper }
        let ordered = lowers.filter { resolver.isOnPseudo($0) } + lowers.filter { !resolver.isOnPseudo($0) }
        for layerEntry in ordered + visible.filter(\.layer.isUpper) {
            let layer = layerEntry.layer
            let from = try directory(of: rename.source.directory, &rename.source.view, in: layer)
            let to = try directory(of: rename.destination.directory, &rename.destination.view, in: layer)
            if layerEntry.marks.contains(.skeleton) { try layers.noteHolder(to) }
            rename.parts.append(
                MovingPart(
                    layerEntry: layerEntry, from: from, to: to, replaced: replaced[layer.index],
                    isPseudo: !layer.isUpper && resolver.isOnPseudo(layerEntry)))
        }
    }

    /// Checks that the layers can take part. EXDEV, or EPERM: a layer that backs the directory may not be
    /// changed, or there is no place to write down what is under way. EROFS, EBUSY: the old name would take a
    /// whiteout, and there can be none.
    func checkParts(of lookup: NameLookup) throws(Errno) {
        if lookup.visible.contains(where: \.layer.isReadOnly) || !work.takesJournals {
            throw refusal(of: lookup)
        }
        if lookup.hidden.contains(where: { mustBeCovered($0) }) { try checkCover(lookup) }
    }

    func refusal(of lookup: NameLookup) -> Errno {
        let hasPseudoPart = lookup.visible.contains {
            !$0.layer.isReadOnly && !$0.layer.isUpper && resolver.isOnPseudo($0)
        }
        return hasPseudoPart ? .notPermitted : .improperLink
    }
}

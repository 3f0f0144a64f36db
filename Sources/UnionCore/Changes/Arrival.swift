internal import LinuxSystem
internal import SystemPackage

/// What must be done so that the union shows an object, whole and alone, under a name. One layer has the
/// object.
///
/// It is a value, made from a lookup before anything is changed. Operations carry it out, and `explain` tells
/// it.
struct Arrival {
    let layer: Layer
    let isDirectory: Bool
    /// What the layer itself has under the name.
    let replaced: LayerEntry?
    /// Whether `replaced` is the object that the union shows, or a part of it.
    let replacesShown: Bool
    /// What a lookup finds before the layer's own, top to bottom. These go once the object is there, the
    /// topmost last: until then the topmost is what shows, or hides.
    let above: [LayerEntry]
    /// An orphan that isn't shown: it makes room first.
    let unseen: LayerEntry?
    /// Whether to mark the directory as complete. Without the mark it would be merged with what lies below.
    let mustBeComplete: Bool

    /// Whether the layer has nothing under the name but perhaps a whiteout.
    var isFree: Bool { replaced?.isWhiteout != false }
}

extension Changes {
    /// How an object arrives under the name in the layer. EXDEV: what would hide the object can't be taken
    /// away, as it is in a read-only layer or itself hidden. The union removes neither what lay hidden behind
    /// a whiteout nor directories that lay hidden.
    func arrival(
        ofDirectory isDirectory: Bool, in layer: Layer, _ lookup: NameLookup, _ view: borrowing DirectoryView
    ) throws(Errno) -> Arrival {
        if let failure = lookup.failure(above: layer) { throw failure }
        if lookup.isShutOut(layer) { throw .improperLink }
        var above: [LayerEntry] = []
        var replaced: LayerEntry?
        var replacesShown = false
        var next: LayerEntry?
        for position in 0..<lookup.columnCount {
            let layerEntry = lookup.column(position)
            if layerEntry.layer === layer {
                replaced = layerEntry
                replacesShown = position < lookup.visibleCount
            } else if lookup.isAbove(layerEntry.layer, layer) {
                try checkUncovering(layerEntry, at: position, lookup)
                above.append(layerEntry)
            } else {
                next = next ?? layerEntry
            }
        }
        let liftsWhiteout = replaced?.isWhiteout == true || above.contains(where: \.isWhiteout)
        let isLowest = !view.backings.contains { lookup.isAbove(layer, $0.layer) }
        if let unseen = lookup.unseen, isDirectory, unseen.layer.isReadOnly { throw .improperLink }
        return Arrival(
            layer: layer, isDirectory: isDirectory, replaced: replaced, replacesShown: replacesShown,
            above: above,
            unseen: lookup.unseen,
            mustBeComplete: isDirectory && !isLowest && (liftsWhiteout || next?.isDirectory == true))
    }

    private func checkUncovering(
        _ layerEntry: LayerEntry, at position: Int, _ lookup: NameLookup
    ) throws(Errno) {
        if layerEntry.layer.isReadOnly { throw .improperLink }
        if layerEntry.isWhiteout || position < lookup.visibleCount { return }
        if lookup.isBuried(position) || layerEntry.isDirectory { throw .improperLink }
    }

    /// Takes away what stands above the object, the topmost last. If something can't go, the whiteouts among
    /// those that went come back; files don't.
    func uncover(
        _ arrival: Arrival, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        _ caller: CallerIdentity
    ) throws(Errno) {
        for position in arrival.above.indices.reversed() {
            do {
                try uncover(arrival.above[position], name, in: directory, view, caller)
            } catch {
                for layerEntry in arrival.above[(position + 1)...] where layerEntry.isWhiteout {
                    guard let real = view.directory(in: layerEntry.layer.index) else { continue }
                    try? layers.makeWhiteout(name, in: real)
                }
                throw error
            }
        }
    }

    private func uncover(
        _ layerEntry: LayerEntry, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        _ caller: CallerIdentity
    ) throws(Errno) {
        guard let real = view.directory(in: layerEntry.layer.index) else { return }
        if layerEntry.isWhiteout { return try real.unlink(at: name) }
        guard layerEntry.isDirectory else {
            return try layers.asCaller(caller, in: real) { () throws(Errno) in try real.unlink(at: name) }
        }
        if try removePlain(name, in: real, caller) { return }
        guard layerEntry.layer.isUpper else { throw .directoryNotEmpty }
        try layers.evict(name, in: real, at: try resolver.path(of: name, in: directory))
    }

    /// Makes room if an orphan that isn't shown has the name, whatever the layer of the arrival. Otherwise
    /// the orphan might show again, with what comes to the name.
    func makeRoom(
        for arrival: Arrival, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) {
        guard let unseen = arrival.unseen, !unseen.layer.isReadOnly,
            let upper = view.directory(in: unseen.layer.index)
        else { return }
        try layers.stash(
            name, in: upper, at: try resolver.path(of: name, in: directory), expecting: unseen.status)
    }

    /// Whether the real directory holds nothing at all, not even whiteouts and what they hide.
    func isBare(_ name: PathRef, in parent: FileDescriptor) throws(Errno) -> Bool {
        let real = try parent.openBeneath(name, flags: [.readOnly, .directory, .noFollow])
        var stream = DirectoryStream(reading: real.descriptor)
        while let entry = try stream.next() {
            if !entry.name.isDots { return false }
        }
        return true
    }
}

extension Changes {
    /// Makes room in the upper for something new, if an orphan that isn't shown has the name.
    func makeRoom(
        for name: PathRef, in parent: FileDescriptor, of directory: Node, _ lookup: NameLookup
    ) throws(Errno) {
        guard let unseen = lookup.unseen else { return }
        try layers.stash(
            name, in: parent, at: try resolver.path(of: name, in: directory), expecting: unseen.status)
    }
}

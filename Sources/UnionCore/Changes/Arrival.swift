internal import LinuxSystem
internal import SystemPackage

/// What has to be done so that the union shows an object under a name, whole and alone, that is put there in one layer.
///
/// A value: it is made from a survey before anything is changed. Operations carry it out, `explain` tells it.
struct Arrival {
    let layer: Layer
    let isDirectory: Bool
    /// What the layer itself has under the name.
    let replaced: Standing?
    /// `replaced` is the object that the union shows, or a part of it.
    let replacesShown: Bool
    /// What is found before the layer's own, top to bottom. It goes when the object is there, the topmost last: until
    /// then that is what shows, or hides.
    let above: [Standing]
    /// An orphan that isn't shown: it makes room first.
    let unseen: Standing?
    /// A directory is marked as complete, or it would be merged with what lies below.
    let mustBeComplete: Bool

    /// Nothing but a whiteout has the name in the layer.
    var isFree: Bool { replaced?.isWhiteout != false }
}

extension Changes {
    /// EXDEV: what would hide the object can't be taken away, as it is in a read-only layer or itself hidden. What lay
    /// hidden behind a whiteout, and directories that lay hidden, are nobody's to remove.
    func arrival(
        ofDirectory isDirectory: Bool, in layer: Layer, _ survey: Survey, _ view: borrowing DirectoryView
    ) throws(Errno) -> Arrival {
        if let failure = survey.failure(above: layer) { throw failure }
        if survey.isShutOut(layer) { throw .improperLink }
        var above: [Standing] = []
        var replaced: Standing?
        var replacesShown = false
        var next: Standing?
        for position in 0..<survey.columnCount {
            let standing = survey.column(position)
            if standing.layer === layer {
                replaced = standing
                replacesShown = position < survey.visibleCount
            } else if survey.isAbove(standing.layer, layer) {
                try checkUncovering(standing, at: position, survey)
                above.append(standing)
            } else {
                next = next ?? standing
            }
        }
        let liftsWhiteout = replaced?.isWhiteout == true || above.contains(where: \.isWhiteout)
        let isLowest = !view.backings.contains { survey.isAbove(layer, $0.layer) }
        if let unseen = survey.unseen, isDirectory, unseen.layer.isReadOnly { throw .improperLink }
        return Arrival(
            layer: layer, isDirectory: isDirectory, replaced: replaced, replacesShown: replacesShown,
            above: above,
            unseen: survey.unseen,
            mustBeComplete: isDirectory && !isLowest && (liftsWhiteout || next?.isDirectory == true))
    }

    private func checkUncovering(
        _ standing: Standing, at position: Int, _ survey: Survey
    ) throws(Errno) {
        if standing.layer.isReadOnly { throw .improperLink }
        if standing.isWhiteout || position < survey.visibleCount { return }
        if survey.isBuried(position) || standing.isDirectory { throw .improperLink }
    }

    /// Takes away what stands above the object, the topmost last. Where one can't go, the whiteouts among those that went come
    /// back; files don't.
    func uncover(
        _ arrival: Arrival, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        _ caller: CallerIdentity
    ) throws(Errno) {
        for position in arrival.above.indices.reversed() {
            do {
                try uncover(arrival.above[position], name, in: directory, view, caller)
            } catch {
                for standing in arrival.above[(position + 1)...] where standing.isWhiteout {
                    guard let real = view.directory(in: standing.layer.index) else { continue }
                    try? layers.makeWhiteout(name, in: real)
                }
                throw error
            }
        }
    }

    private func uncover(
        _ standing: Standing, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        _ caller: CallerIdentity
    ) throws(Errno) {
        guard let real = view.directory(in: standing.layer.index) else { return }
        if standing.isWhiteout { return try real.unlink(at: name) }
        guard standing.isDirectory else {
            return try layers.asCaller(caller, in: real) { () throws(Errno) in try real.unlink(at: name) }
        }
        if try removePlain(name, in: real, caller) { return }
        guard standing.layer.isUpper else { throw .directoryNotEmpty }
        try layers.putAside(name, in: real, at: try resolver.path(of: name, in: directory))
    }

    /// Makes room where an orphan that isn't shown has the name, whatever the layer: it might show again, with what comes
    /// to the name.
    func makeRoom(
        for arrival: Arrival, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) {
        guard let unseen = arrival.unseen, !unseen.layer.isReadOnly,
            let upper = view.directory(in: unseen.layer.index)
        else { return }
        try layers.setAside(name, in: upper, at: try resolver.path(of: name, in: directory), expecting: unseen.status)
    }

    /// Whether the real directory holds nothing at all, whiteouts and what they hide included.
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
    /// Makes room for something new in the upper where an orphan that isn't shown has the name.
    func makeRoom(
        for name: PathRef, in parent: FileDescriptor, of directory: Node, _ survey: Survey
    ) throws(Errno) {
        guard let unseen = survey.unseen else { return }
        try layers.setAside(name, in: parent, at: try resolver.path(of: name, in: directory), expecting: unseen.status)
    }
}

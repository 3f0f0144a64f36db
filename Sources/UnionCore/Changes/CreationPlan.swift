internal import LinuxSystem
internal import SystemPackage

/// Where a new object goes.
struct CreationPlan {
    let first: Arrival
    /// Tried if the first layer refuses.
    let second: Arrival?
}

extension Changes {
    /// Where a new object of that name goes. EROFS: no layer may be written. EPERM: a rule denies it. EXDEV:
    /// the layer that a rule names doesn't back the directory, or has something hidden under the name.
    func creationPlan(
        for operation: SelectedOperation, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView, _ lookup: NameLookup
    ) throws(Errno) -> CreationPlan {
        let candidates = try candidates(for: operation, name, in: directory, view)
        let isDirectory = operation == .mkdir
        let first: Arrival
        do throws(Errno) {
            first = try newArrival(ofDirectory: isDirectory, in: candidates.first, lookup, view)
        } catch {
            guard let other = candidates.other(after: error), other !== candidates.first else { throw error }
            return CreationPlan(
                first: try newArrival(ofDirectory: isDirectory, in: other, lookup, view), second: nil)
        }
        let second = candidates.second.flatMap {
            try? newArrival(ofDirectory: isDirectory, in: $0, lookup, view)
        }
        return CreationPlan(first: first, second: second)
    }

    /// The arrival of an object that is new in the layer. EXDEV: the layer doesn't back the directory, or
    /// something lies hidden in the object's place there; that isn't replaced.
    func newArrival(
        ofDirectory isDirectory: Bool, in layer: Layer, _ lookup: NameLookup, _ view: borrowing DirectoryView
    ) throws(Errno) -> Arrival {
        try layers.checkWritable(layer)
        if !layer.isUpper && view.directory(in: layer.index) == nil { throw .improperLink }
        let arrival = try arrival(ofDirectory: isDirectory, in: layer, lookup, view)
        guard arrival.isFree else { throw .improperLink }
        return arrival
    }
}

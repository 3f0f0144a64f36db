internal import LinuxSystem
internal import SystemPackage

extension Reporting {
    /// The node of what was just made. A file's attributes aren't kept yet: a program that makes a file
    /// mostly goes on to change it. ESTALE, upon which the kernel asks again: another process has put something
    /// there that the kernel doesn't take as the answer.
    func newEntry(
        _ name: PathRef, in target: borrowing Target, isTaken: (Entry) -> Bool
    ) throws(Errno) -> Entry {
        do throws(Errno) {
            // The filter has the name once its event is taken in. To ask two directories costs no more than that.
            let filtered = target.view.filter.map { $0.backings.count > 2 } ?? false
            if filtered { coherence.source?.drain() }
            let lookup = try resolver.lookup(target.view, name, in: target.directory, filtered: filtered)
            let made = try entry(
                lookup, name, in: target.directory, target.view, keepsAttributes: false, filtered: filtered)
            if isTaken(made) { return made }
            forget(made.node, count: 1)
            throw .staleNFSFileHandle
        } catch {
            noteNotMade(name, in: target.directory)
            throw error
        }
    }

    /// Notes that a client that wanted to make the name gets an error. What was reported for the answer isn't
    /// known to the kernel: it goes on with what it knew, which was nothing, or that the name is missing.
    func noteNotMade(_ name: PathRef, in directory: Node) {
        guard let alias = directory.unreport(name) else { return }
        table.find(alias.node)?.forget(alias, isGone: false)
        if coherence.plan.isLasting { coherence.invalidations.appendName(directory.id, name) }
    }

    /// The node of a file that was just made and is open; `status` is its status. It is the answer even if
    /// another process has put another object there since: from CREATE the kernel takes nothing but a file.
    func newEntry(
        _ name: PathRef, _ status: FileStatus, in layer: Layer, _ target: borrowing Target
    ) throws(Errno) -> Entry {
        let made = LayerEntry(layer: layer, status: status, isWhiteout: false, marks: [])
        var lookup = NameLookup()
        lookup.begun = coherence.now
        lookup.add(made)
        let filesystem = try resolver.filesystem(of: made, name, target.view)
        var entry: Entry?
        for isLast in [false, true] where entry == nil {
            guard let node = reportNode(lookup, made, filesystem, name, in: target.directory, isLast: isLast)
            else { continue }
            _ = resolver.hold(node, lookup, name, target.view)
            let attributes = resolver.attributes(status, filesystem)
            entry = reported(lookup, node, attributes, name, in: target.directory, target.view)
            if isLast { entry?.freshness = .none }
        }
        guard let entry else { throw .staleNFSFileHandle }
        return entry
    }
}

internal import LinuxSystem
internal import SystemPackage

extension Reporting {
    /// The node of what was just made. A file's attributes aren't kept yet: a program that makes a file
    /// mostly goes on to change it.
    func newEntry(_ name: PathRef, in target: borrowing Target) throws(Errno) -> Entry {
        let lookup = try resolver.lookup(target.view, name, in: target.directory)
        return try entry(lookup, name, in: target.directory, target.view, keepsAttributes: false)
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

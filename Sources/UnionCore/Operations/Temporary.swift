public import LinuxSystem
public import SystemPackage

extension Union {
    /// O_TMPFILE: makes a file without a name in the layer where the directory's new files go, and opens it.
    public func makeTemporary(
        _ parent: NodeID, mode: UInt32, flags: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> (Entry, OpenedFile) {
        try layers.checkWritable()
        let flags = OpenFlags(rawValue: flags)
        let directory = try resolver.node(parent)
        var view = try resolver.view(of: directory)
        try changes.checkFlags(of: view, NameLookup(), for: .put)
        let candidates = try changes.candidates(for: .create, "", in: directory, view)
        let layer = candidates.first
        try layers.checkWritable(layer)
        let real = try changes.directory(of: directory, &view, in: layer)
        let file = try layers.asCaller(caller, in: real, exact: mode & ModeBits.setGroup != 0) {
            () throws(Errno) -> OwnedDescriptor in
            let flags = flags.union(.temporaryFile).subtracting(.kernelOnly.union([.create, .noFollow]))
            return try real.openPlain("", flags: flags, mode: mode & ModeBits.permissions)
        }
        let status = try file.descriptor.status()
        let node = reporting.reportNameless(
            status, stack.filesystems.facts(of: status.device, asking: file.descriptor))
        do {
            let entry = Entry(
                node: node.id, generation: Entry.generation(of: node.id),
                attributes: resolver.attributes(status, node.filesystem),
                freshness: .none)
            return (entry, try opened(node, layer, file, flags))
        } catch {
            reporting.forget(node.id, count: 1)
            throw error
        }
    }
}

internal import LinuxSystem
internal import SystemPackage

extension DirectoryStream {
    /// The next entry that this reader may see. nil: the directory's end. `caller` nil: as the server sees
    /// it.
    mutating func next(
        of source: ListingSource, as caller: CallerIdentity?
    ) throws(Errno) -> DirectoryEntry? {
        while let entry = try read(source, caller) {
            if let filter = source.filter, filter.hides(entry.name) { continue }
            return entry
        }
        return nil
    }

    /// Reads the next entry. Pseudo filesystems show each reader its own entries: proc hides some by the
    /// caller.
    private mutating func read(
        _ source: ListingSource, _ caller: CallerIdentity?
    ) throws(Errno) -> DirectoryEntry? {
        guard let caller, source.filesystem.isPseudo, isAtEndOfBuffer else { return try next() }
        if let agent = source.filter?.agent(for: caller) { return try next(by: agent) }
        let scope = try CredentialScope(becoming: caller, .exact)
        let entry = try next()
        scope.end()
        return entry
    }
}

public import LinuxSystem
internal import Synchronization

/// What is to be told ahead, for the threads that list it through the mount (`DirectoryTeller`).
extension Union {
    /// From here on directories are told ahead.
    public func startTellingAhead(_ teller: any DirectoryTeller) {
        if coherence.plan.isLasting { listings.teller.withLock { $0 = teller } }
    }

    public func stopTellingAhead() { listings.teller.withLock { $0 = nil } }

    /// Begins to tell files of the directory ahead. Returns its path in the union. The caller has `thread` list it
    /// through the mount from `aheadOffset` on, after a look at each name that `nextNameAhead` gives, and calls
    /// `endAhead` in the end. nil: there is nothing to tell, and nothing to end.
    public func beginAhead(_ directory: NodeID, by thread: Int32) -> [UInt8]? {
        guard let listing = listings.beginAhead(directory) else { return nil }
        listings.aheadNow.withLock { $0 = (listing, thread) }
        guard let path = try? resolver.path(of: listing.directory) else {
            endAhead()
            return nil
        }
        return path.array
    }

    /// A name that the thread is to look up next, before it lists on: only after a look the kernel takes files
    /// with a listing. nil: all was told.
    public func nextNameAhead() -> [UInt8]? {
        listings.aheadNow.withLock { $0?.listing }.flatMap { listings.nextName(of: $0) }
    }

    public func endAhead() {
        let listing = listings.aheadNow.withLock { now in
            defer { now = nil }
            return now?.listing
        }
        if let listing { listings.endAhead(listing) }
    }

    /// The directory isn't told ahead after all.
    public func dropAhead(_ directory: NodeID) { listings.ahead.drop(directory) }

    /// How many files were told ahead since the mount.
    public var toldAhead: UInt64 { listings.ahead.told.load(ordering: .relaxed) }

    /// Whether the caller is the thread that something is told ahead by now.
    public func tellsAhead(to caller: CallerIdentity) -> Bool { listings.tellsAhead(to: caller.pid) }

    /// From this offset on a listing through the mount is of what is told ahead.
    public static var aheadOffset: Int64 { Int64(AheadListing.firstOffset) }
}

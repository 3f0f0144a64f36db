public import LinuxSystem
internal import Synchronization
public import SystemPackage

// Listings. A pure directory's is its layer's own, streamed; the offsets are that filesystem's. A merged
// directory's is a snapshot from the moment the listing started, and its offsets count its names: an entry
// that is there from opendir to closedir shows exactly once.

extension Union {
    /// Opens the real directories as the caller.
    public func openDirectory(
        _ id: NodeID, _ caller: CallerIdentity
    ) throws(Errno) -> HandleID {
        let node = try resolver.node(id)
        var listing: Listing?
        do throws(Errno) {
            listing = try listings.openListing(of: node, caller)
        } catch .noSuchFileOrDirectory {
            // Removed while somebody is in it: it can be opened, and holds nothing.
        }
        return directories.insert(DirectoryHandle(node: node, listing: listing))
    }

    public func releaseDirectory(_ handle: HandleID) {
        _ = directories.remove(handle)
    }

    /// Lists from `offset` (0: the start) until `emit` returns false, which leaves that item for the next call.
    public func readDirectory(
        _ id: HandleID, offset: UInt64, _ caller: CallerIdentity, _ emit: (DirectoryItem) -> Bool
    ) throws(Errno) {
        guard let handle = directories.find(id) else { throw .badFileDescriptor }
        let result: Result<Void, Errno> = handle.state.withLock { state in
            do throws(Errno) {
                try listings.refresh(&state, handle.node, offset, caller)
                try listings.list(&state, handle.node, from: offset, caller, emit)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Lists a directory without a handle from `offset` (0: the start) until `emit` returns false, which leaves that item for
    /// the next call. `room`: how many bytes the client takes. `withFiles`: an item may come with its file as LOOKUP would
    /// tell of it. What is returned is for `finish`, once the answer is out, or `takeBack`.
    public func readDirectory(
        of id: NodeID, offset: UInt64, room: Int, _ caller: CallerIdentity, withFiles: Bool,
        _ emit: (DirectoryItem, Entry?) -> Bool
    ) throws(Errno) -> ListingPart {
        try listings.readDirectory(
            of: id, offset: offset, room: room, caller, withFiles: withFiles, emit)
    }

    /// The answer was sent.
    public func finish(_ part: consuming ListingPart) { listings.finish(part) }

    /// Nobody has got the answer.
    public func takeBack(_ part: consuming ListingPart) { listings.takeBack(part) }
}

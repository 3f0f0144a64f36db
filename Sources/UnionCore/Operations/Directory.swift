public import LinuxSystem
internal import Synchronization
public import SystemPackage

// Listings. A pure directory's listing is its layer's own, streamed; the offsets are that filesystem's. A
// merged directory's listing is a snapshot from the moment it started. With a handle its offsets count its
// names; without one they are hashes of names (`ListingOrder.swift`). So an entry that is there from opendir to
// closedir shows exactly once.

extension Union {
    /// Opens the real directories as the caller. A directory that has gone opens too, and lists nothing.
    public func openDirectory(
        _ id: NodeID, _ caller: CallerIdentity
    ) throws(Errno) -> HandleID {
        let node = try resolver.node(id)
        var listing: Listing?
        do throws(Errno) {
            listing = try listings.openListing(of: node, caller)
        } catch .noSuchFileOrDirectory {
            // Removed while a process is in it: it can be opened, and holds nothing.
        }
        return directories.insert(DirectoryHandle(node: node, listing: listing))
    }

    /// The client's last reference to the open directory has gone.
    public func releaseDirectory(_ handle: HandleID) {
        _ = directories.remove(handle)
    }

    /// Lists from `offset` (0: the start) until `emit` returns false. The item that `emit` refused is for the
    /// next call. EBADF: there is no such handle.
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

    /// Lists a directory without a handle from `offset` (0: the start) until `emit` returns false. The item
    /// that `emit` refused is for the next call. `room`: how many bytes the client takes. `withFiles`: an
    /// item may come with its file, as LOOKUP would tell of it. Give the result to `finish` once the answer
    /// is out, or to `takeBack`.
    public func readDirectory(
        of id: NodeID, offset: UInt64, room: Int, _ caller: CallerIdentity, withFiles: Bool,
        _ emit: (DirectoryItem, Entry?) -> Bool
    ) throws(Errno) -> ListingPart {
        try listings.readDirectory(
            of: id, offset: offset, room: room, caller, withFiles: withFiles, emit)
    }

    /// The answer with this part was sent.
    public func finish(_ part: consuming ListingPart) { listings.finish(part) }

    /// The answer with this part reached no client.
    public func takeBack(_ part: consuming ListingPart) { listings.takeBack(part) }
}

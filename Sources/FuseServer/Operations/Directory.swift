internal import CFuse3
internal import Glibc
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// OPENDIR.
func handleOpenDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, caller, reply in
        // From here on the kernel opens directories without asking, and keeps their listings.
        if union.keepsListings { return reply.error(.noFunction) }
        do throws(Errno) {
            let directory = try union.openDirectory(NodeID(node), caller)
            reply.open(directory: directory, of: union)
        } catch {
            reply.error(error)
        }
    }
}

/// READDIR: names from `offset` on, as many as fit.
func handleReadDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe answerListing(request, node, size, offset, information, hasEntries: false)
}

/// READDIRPLUS: names from `offset` on, with what LOOKUP would tell of those for which it would be asked.
func handleReadDirectoryPlus(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe answerListing(request, node, size, offset, information, hasEntries: true)
}

private func answerListing(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?, hasEntries: Bool
) {
    unsafe serve(request) { channel, union, caller, reply in
        // What is told ahead takes as long as the answers to a hundred clients, and they go on asking meanwhile.
        if offset >= Union.aheadOffset, union.tellsAhead(to: caller) { channel.handOver() }
        let offset = UInt64(bitPattern: Int64(offset))
        var listing = unsafe DirectoryListing(into: channel.output(size), hasEntries: hasEntries)
        if union.keepsListings {
            answerPart(NodeID(node), from: offset, size, union, caller, channel, &listing, reply)
        } else {
            let handle = unsafe HandleID(information)
            do throws(Errno) {
                try union.readDirectory(handle, offset: offset, caller) { listing.add($0, nil) }
                unsafe reply.bytes(listing.bytes)
            } catch {
                reply.listing(listing, upTo: error)
            }
        }
    }
}

/// Answers with a part of a listing, and does what is to be done once the answer is out.
private func answerPart(
    _ node: NodeID, from offset: UInt64, _ size: Int, _ union: Union, _ caller: CallerIdentity,
    _ channel: Channel, _ listing: inout DirectoryListing, _ reply: consuming Reply
) {
    do throws(Errno) {
        let part = try union.readDirectory(
            of: node, offset: offset, room: size, caller, withFiles: listing.hasEntries
        ) { item, entry in listing.add(item, entry) }
        if listing.isEmpty && !part.mayBeKept { listing.endUnkept() }
        let isLost = unsafe reply.bytes(listing.bytes)
        if isLost { return union.takeBack(part) }
        // Watches for more than a few take longer than the client needs for its next request.
        if part.fileCount > 8 { channel.handOver() }
        union.finish(part)
    } catch {
        reply.listing(listing, upTo: error)
    }
}

extension Reply {
    /// Answers with what was listed before the error; the next request meets the error again.
    fileprivate consuming func listing(_ listing: DirectoryListing, upTo error: Errno) {
        if listing.isEmpty { return self.error(error) }
        unsafe bytes(listing.bytes)
    }
}

/// RELEASEDIR. No client waits for it.
func handleReleaseDirectory(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ information: UnsafeMutablePointer<fuse_file_info>?
) {
    unsafe serve(request) { _, union, _, reply in
        let handle = unsafe HandleID(information)
        reply.done()
        union.releaseDirectory(handle)
    }
}

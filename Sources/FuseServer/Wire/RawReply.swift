internal import CFuseShims
internal import SystemPackage
internal import UnionCore

/// The answer to a request that libfuse hasn't seen. It is given exactly once, on the request's own thread. A
/// reply that is dropped answers EIO.
struct RawReply: ~Copyable {
    private let unique: UInt64

    init(_ request: RawRequest) { unique = request.header.unique }

    deinit { _ = sfs_reply(unique, Errno.ioError.rawValue, nil, 0) }

    private consuming func take() -> UInt64 {
        let unique = self.unique
        discard self
        return unique
    }

    consuming func error(_ error: Errno) {
        _ = sfs_reply(take(), error.rawValue, nil, 0)
    }

    consuming func done() {
        _ = sfs_reply(take(), 0, nil, 0)
    }

    /// Answers with a new open file. Undoes it if the client has gone.
    consuming func create(_ entry: Entry, _ file: OpenedFile, of union: Union) {
        var reply = sfs_create_reply(entry: sfs_entry_reply(entry), open: sfs_open_reply(file))
        if unsafe sfs_reply(take(), 0, &reply, MemoryLayout.size(ofValue: reply)) != 0 {
            union.takeBack(entry, file)
        }
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One layer's own listing, streamed.
struct PureListing: ~Copyable, Sendable {
    let source: ListingSource
    let directory: OwnedDescriptor
    var stream: DirectoryStream

    /// `bufferSize` and `readahead`, in bytes, are `DirectoryStream`'s.
    init(_ opened: consuming OpenSource, bufferSize: Int = 32 * 1024, readahead: Int = 0) {
        source = opened.source
        directory = opened.intoDirectory()
        stream = DirectoryStream(reading: directory.descriptor, bufferSize: bufferSize, ahead: readahead)
    }

    /// Goes to an item's offset, if the stream isn't there anyway. Offset 0 is always read anew.
    mutating func `continue`(at offset: UInt64) throws(Errno) {
        let offset = Int64(bitPattern: offset)
        if offset == 0 || offset != stream.position { try stream.seek(to: offset) }
    }
}

/// What a directory handle lists from.
enum Listing: ~Copyable, Sendable {
    /// One layer alone backs the directory.
    case pure(PureListing)
    /// Several layers back it. They were opened, and are read when the listing starts.
    case opened(LayerReadings)
    /// Several layers back it. This is a snapshot, made when the listing started.
    case merged(MergedListing)
}

/// An open directory of a client.
///
/// The lock is held while the real directory is read. Only this handle's users wait for it, and the kernel
/// makes these take turns already.
final class DirectoryHandle: Sendable {
    struct State: ~Copyable, Sendable {
        /// nil: the directory has gone.
        var listing: Listing?
        /// When opendir looked at the layers for a listing from the start, so that readdir needn't look again
        /// at once. nil: readdir must look. In nanoseconds of `monotonicNanoseconds`.
        var openedAt: UInt64?
    }

    let node: Node
    let state: Mutex<State>

    init(node: Node, listing: consuming Listing?) {
        self.node = node
        state = Mutex(State(listing: listing, openedAt: monotonicNanoseconds()))
    }
}

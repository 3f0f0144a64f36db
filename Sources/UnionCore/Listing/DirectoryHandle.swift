internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One layer's own listing, streamed.
struct PureListing: ~Copyable, Sendable {
    let source: ListingSource
    let directory: OwnedDescriptor
    var stream: DirectoryStream

    /// `bufferSize` and `readahead` as of `DirectoryStream`.
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
    /// Several layers, which were opened and are read when the listing starts.
    case opened(LayerReadings)
    /// Several layers: a snapshot, made when the listing started.
    case merged(MergedListing)
}

/// An open directory of a client.
///
/// The lock is held while the real directory is read: it keeps only this handle's users waiting, which the
/// kernel has stand in line already.
final class DirectoryHandle: Sendable {
    struct State: ~Copyable, Sendable {
        /// nil: the directory is gone.
        var listing: Listing?
        /// When the layers were looked at for a listing from the start, which opendir does and readdir need not do again
        /// at once; nil: it must. In nanoseconds of `monotonicNanoseconds`.
        var openedAt: UInt64?
    }

    let node: Node
    let state: Mutex<State>

    init(node: Node, listing: consuming Listing?) {
        self.node = node
        state = Mutex(State(listing: listing, openedAt: monotonicNanoseconds()))
    }
}

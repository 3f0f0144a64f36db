internal import LinuxSystem
internal import Synchronization

/// Pure directories that clients are in the midst of listing, read some way ahead: while the client takes in
/// one part, the server reads the next.
///
/// Only watched directories are read ahead. An event of the directory takes away what was read. A request
/// takes pending events in before it uses that, so it is never older than the request. The lock is a leaf.
final class ListingReadahead: Sendable {
    private static let most = 4

    private final class Slot: Sendable {
        let node: NodeID
        /// nil: it is being read.
        let listing = Mutex<PureListing?>(nil)

        init(_ node: NodeID) { self.node = node }

        func keep(_ listing: consuming PureListing) {
            var kept: PureListing? = listing
            self.listing.withLock { swap(&kept, &$0) }
        }
    }

    private let slots = Mutex<[Slot]>([])
    private let isEmpty = Atomic<Bool>(true)

    func has(_ node: NodeID) -> Bool {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return false }
        return slots.withLock { $0.contains { $0.node == node } }
    }

    /// Takes the directory's listing out. nil: there is none at that offset.
    func take(_ node: NodeID, at offset: UInt64) -> PureListing? {
        guard let slot = remove(node) else { return nil }
        let listing = slot.listing.withLock { $0.take() }
        guard let listing, listing.stream.position == Int64(bitPattern: offset) else { return nil }
        return listing
    }

    /// Reads on, and keeps what was read unless something has happened to the directory meanwhile.
    func readOn(_ listing: consuming PureListing, of node: NodeID) {
        let slot = Slot(node)
        // These are closed after the lock.
        let gone = slots.withLock { slots in
            let before = slots
            slots.removeAll { $0.node == node }
            if slots.count >= Self.most { slots.removeFirst() }
            slots.append(slot)
            isEmpty.store(false, ordering: .sequentiallyConsistent)
            return before
        }
        withExtendedLifetime(gone) {}
        listing.stream.readAhead()
        // If the slot has gone from the table, this is the listing's end.
        slot.keep(listing)
    }

    /// Drops what was read of a directory that has changed, or that the kernel has forgotten.
    func drop(_ node: NodeID) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        _ = remove(node)
    }

    func dropAll() {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        var gone: [Slot] = []
        slots.withLock { slots in
            swap(&gone, &slots)
            isEmpty.store(true, ordering: .sequentiallyConsistent)
        }
    }

    private func remove(_ node: NodeID) -> Slot? {
        slots.withLock { slots in
            guard let index = slots.firstIndex(where: { $0.node == node }) else { return nil }
            if slots.count == 1 { isEmpty.store(true, ordering: .sequentiallyConsistent) }
            return slots.remove(at: index)
        }
    }
}

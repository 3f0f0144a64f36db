internal import LinuxSystem
internal import Synchronization

/// The merged listings that clients are in the midst of reading. They are for kernels that open directories
/// without asking: the requests of one pass come with nothing but the node and an offset.
///
/// A listing's offsets are hashes of its names. So a listing that is made anew goes on where the other was,
/// and an entry that is there all the time shows exactly once. The lock is a leaf.
final class ListingCache: Sendable {
    private static let capacity = 64

    final class Listing: Sendable {
        let merged: MergedListing
        /// The indices of the visible items, in the order of their offsets.
        let order: [Int32]

        init(_ merged: MergedListing) {
            self.merged = merged
            order = merged.sortedByOffset()
        }
    }

    private struct State {
        var listings: [NodeID: Listing] = [:]
        /// The nodes in the order in which they came, the oldest first.
        var arrivals: [NodeID] = []
    }

    private let state = Mutex(State())

    func find(_ node: NodeID) -> Listing? {
        state.withLock { $0.listings[node] }
    }

    func keep(_ listing: Listing, of node: NodeID) {
        state.withLock { state in
            if state.listings.updateValue(listing, forKey: node) == nil { state.arrivals.append(node) }
            guard state.arrivals.count > Self.capacity else { return }
            state.listings[state.arrivals.removeFirst()] = nil
        }
    }

    func forget(_ node: NodeID) {
        state.withLock { state in
            guard state.listings.removeValue(forKey: node) != nil else { return }
            state.arrivals.removeAll { $0 == node }
        }
    }

    var count: Int { state.withLock { $0.listings.count } }
}

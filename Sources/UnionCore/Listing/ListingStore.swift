/// All that is kept of listings from one request to the next.
struct ListingStore: KeptListings {
    /// Merged listings, for the passes that go on in them.
    let merged = ListingCache()
    /// Pure listings, some way ahead of the clients that read them.
    let readahead = ListingReadahead()

    func drop(_ directory: NodeID) { readahead.drop(directory) }
    func dropAll() { readahead.dropAll() }

    func forget(_ directory: NodeID) {
        merged.forget(directory)
        readahead.drop(directory)
    }
}

/// All that is kept of listings from one request to the next.
struct ListingStore: KeptListings {
    /// Merged listings, for the passes that go on in them.
    let merged = ListingCache()
    /// Pure listings, some way ahead of the clients that read them.
    let readahead = ListingReadahead()
    /// What is told ahead of them.
    let ahead: AheadPolicy

    init(_ policies: Policies) { ahead = AheadPolicy(policies.ahead) }

    func drop(_ directory: NodeID) {
        readahead.drop(directory)
        ahead.noteChange(of: directory)
    }

    func dropAll() { readahead.dropAll() }

    func forget(_ directory: NodeID) {
        merged.forget(directory)
        readahead.drop(directory)
        ahead.forget(directory)
    }
}

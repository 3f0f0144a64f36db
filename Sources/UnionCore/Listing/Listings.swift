internal import LinuxSystem
internal import Synchronization

/// The answers to READDIR.
final class Listings: Sendable {
    let agents: Agents
    let reporting: Reporting
    let store: ListingStore
    let readdirPlus = ReaddirPlusPolicy()
    /// What tells directories ahead. nil: nothing does.
    let teller = Mutex<(any DirectoryTeller)?>(nil)
    /// What is told ahead now, and the thread that lists it through the mount.
    let aheadNow = Mutex<(listing: AheadListing, thread: Int32)?>(nil)

    var ahead: AheadPolicy { store.ahead }
    var resolver: Resolver { reporting.resolver }
    var layers: Layers { resolver.layers }
    var stack: LayerStack { resolver.stack }
    var policies: Policies { resolver.policies }
    var table: InodeTable { resolver.table }
    var coherence: Coherence { resolver.coherence }

    init(_ reporting: Reporting, _ agents: Agents, _ store: ListingStore) {
        self.reporting = reporting
        self.agents = agents
        self.store = store
    }
}

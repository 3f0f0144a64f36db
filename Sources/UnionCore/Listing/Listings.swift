/// The answers to READDIR.
final class Listings: Sendable {
    let layers: Layers
    let resolver: Resolver
    let agents: Agents
    let reporting: Reporting
    let stack: LayerStack
    let policies: Policies
    let table: InodeTable
    let coherence: Coherence
    let store: ListingStore
    let readdirPlus = ReaddirPlusPolicy()

    init(_ reporting: Reporting, _ agents: Agents, _ store: ListingStore) {
        self.store = store
        layers = reporting.layers
        resolver = reporting.resolver
        self.agents = agents
        self.reporting = reporting
        stack = reporting.stack
        policies = reporting.layers.policies
        table = reporting.table
        coherence = reporting.coherence
    }
}

/// How a change is made: in which layer, over what has the name, and so that an error leaves everything as it was.
final class Changes: Sendable {
    let layers: Layers
    let resolver: Resolver
    let reporting: Reporting
    let stack: LayerStack
    let policies: Policies
    let work: WorkArea
    let coherence: Coherence

    init(_ reporting: Reporting) {
        layers = reporting.layers
        resolver = reporting.resolver
        self.reporting = reporting
        stack = reporting.stack
        policies = reporting.layers.policies
        work = reporting.layers.work
        coherence = reporting.coherence
    }
}

/// How a change is made: in which layer, over what has the name, and so that an error leaves everything as it was.
final class Changes: Sendable {
    let reporting: Reporting

    var resolver: Resolver { reporting.resolver }
    var layers: Layers { resolver.layers }
    var stack: LayerStack { resolver.stack }
    var policies: Policies { resolver.policies }
    var work: WorkArea { layers.work }
    var coherence: Coherence { resolver.coherence }

    init(_ reporting: Reporting) { self.reporting = reporting }
}

/// What the kernel is told: which node a name's answer is, how long the kernel may keep the answer, and the
/// watch that comes before it.
final class Reporting: Sendable {
    let resolver: Resolver

    var layers: Layers { resolver.layers }
    var stack: LayerStack { resolver.stack }
    var table: InodeTable { resolver.table }
    var coherence: Coherence { resolver.coherence }

    init(_ resolver: Resolver) { self.resolver = resolver }
}

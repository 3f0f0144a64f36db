/// What the kernel is told: which node a name's answer is, how long the kernel may keep the answer, and the
/// watch that comes before it.
final class Reporting: Sendable {
    let layers: Layers
    let resolver: Resolver
    let stack: LayerStack
    let table: InodeTable
    let coherence: Coherence

    init(_ resolver: Resolver) {
        layers = resolver.layers
        self.resolver = resolver
        stack = resolver.stack
        table = resolver.table
        coherence = resolver.coherence
    }
}

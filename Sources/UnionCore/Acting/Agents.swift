/// Calls that depend on the process that makes them: which thread or process makes a call for a caller.
final class Agents: Sendable {
    let layers: Layers
    let resolver: Resolver

    init(_ resolver: Resolver) {
        layers = resolver.layers
        self.resolver = resolver
    }
}

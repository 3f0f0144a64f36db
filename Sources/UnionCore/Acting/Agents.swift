/// Calls that depend on the process that makes them: which thread or process makes a call for a caller.
final class Agents: Sendable {
    let resolver: Resolver

    var layers: Layers { resolver.layers }

    init(_ resolver: Resolver) { self.resolver = resolver }
}

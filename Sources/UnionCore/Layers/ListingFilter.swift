internal import LinuxSystem
internal import SystemPackage

/// What of a directory of proc isn't shown to the caller that lists it.
final class ListingFilter: Sendable {
    /// The server's number, if it is hidden from the caller; else empty.
    private let hidden: OwnedName
    /// The directory as the server sees it.
    private let ownView: OwnedDescriptor
    /// The namespaces that the listing shows. The caller lists them as it sees them. A name that the server's
    /// namespaces don't have can't be looked up here.
    private let namespaces: Namespaces
    /// Whether it is one of the server's own directories. Some of these ask at each reading which thread
    /// reads; the server's threads may read all.
    private let isServers: Bool

    init(showing namespaces: Namespaces, ownView: consuming OwnedDescriptor) {
        self.namespaces = namespaces
        self.ownView = ownView
        hidden = OwnedName([])
        isServers = false
    }

    init(ofServers directory: consuming OwnedDescriptor) {
        ownView = directory
        hidden = OwnedName([])
        namespaces = []
        isServers = true
    }

    init(hiding number: consuming OwnedName, in directory: consuming OwnedDescriptor) {
        hidden = number
        ownView = directory
        namespaces = []
        isServers = false
    }

    /// The agent that reads for the caller. nil: the serving thread reads.
    func agent(for caller: CallerIdentity) -> Agent? {
        if isServers { return Agent(for: caller, entering: []) }
        guard let foreign = Namespaces.foreign(to: caller, namespaces), !foreign.isEmpty else { return nil }
        return Agent(for: caller, entering: foreign)
    }

    func hides(_ name: PathRef) -> Bool {
        if namespaces.isEmpty { return name == hidden.ref }
        return !name.isDots && (try? ownView.descriptor.status(at: name)) == nil
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A node that is about to lose a name. Its real object is kept in reach from before that until the kernel forgets the node,
/// or until it turns out that it has kept a name.
struct Departing: ~Copyable {
    let node: Node?
    private let isParked: Bool

    init(_ node: Node?, _ object: consuming OwnedDescriptor?) {
        self.node = node
        guard let node, let object = object else {
            isParked = false
            return
        }
        isParked = true
        let descriptor = object.release()
        let unneeded: FileDescriptor? = node.state.withLock { $0.beginDeparture(descriptor) }
        if let unneeded { _ = OwnedDescriptor(owning: unneeded) }
    }

    deinit {
        guard isParked, let node else { return }
        // Other names that it is known by may have gone as well, underneath. A layer may hang: no lock is held over the
        // call. What is parked stays until this departure has ended.
        let parked: FileDescriptor? = node.state.withLock { $0.place == nil ? nil : $0.parked }
        let hasLinks = parked.map { (try? $0.status().linkCount) != 0 } ?? false
        let unneeded: FileDescriptor? = node.state.withLock {
            $0.endDeparture(hasName: hasLinks && $0.place != nil)
        }
        if let unneeded { _ = OwnedDescriptor(owning: unneeded) }
    }

    /// The name is gone.
    consuming func finish() {}
}

extension Reporting {
    /// Prepares for the loss of a name: clients that have the object open, or stand in it, go on with it.
    func depart(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) -> Departing {
        guard let standing = survey.owner, let node = knownNode(survey, name, in: directory),
            let real = view.directory(in: standing.layer.index)
        else { return Departing(nil, nil) }
        return Departing(node, try? real.openBeneath(name, flags: [.path, .noFollow]))
    }

    /// The node that the kernel knows what the survey shows by.
    func knownNode(_ survey: Survey, _ name: PathRef, in directory: Node) -> Node? {
        guard let owner = survey.owner else { return nil }
        guard owner.isDirectory else { return table.find(resolver.identity(of: owner)) }
        let makeup = Makeup(of: survey)
        if let told = directory.told(name).flatMap({ table.find($0.node) }),
            resolver.continues(told, as: makeup, at: name, in: directory)
        {
            return told
        }
        guard let node = table.directory(ownedBy: Makeup.part(owner.status, in: owner.layer)),
            !node.isRoot, node.continues(as: makeup), node.place?.isAt(directory, name) == true
        else { return nil }
        return node
    }

    /// A client has taken the name away. What the kernel knew by it has lost it; a directory is dead to the kernel,
    /// though it may live on where a stranger had moved it a moment before.
    func noteTakenAway(_ name: PathRef, from directory: Node) {
        // Looks from before aren't told any more.
        directory.outdateLooks(at: coherence.tick())
        let place = directory.noteTakenAway(name)
        if let place { noteDisplaced(place) }
        noteDead(at: name, in: directory)
    }

    /// The same where a client has put something else there.
    func noteDisplaced(_ place: Place) {
        guard let node = table.find(place.node) else { return }
        if node.isDirectory { node.die() }
        node.forget(place, isGone: true)
    }

    /// It isn't sure which directory the kernel knew by the name: it may be any of these.
    func noteDead(at name: PathRef, in directory: Node) {
        let doubts = directory.doubts(of: name)
        for node in doubts { table.find(node)?.die() }
        directory.endDoubts(doubts, of: name)
    }
}

public import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// Removes the name from the union: from every layer where it stands, bottom up, so that an error leaves
    /// it visible and whole. What can't be removed, in a read-only layer or a directory that lay hidden, is
    /// covered by a whiteout in the upper, before what has hidden it so far goes.
    public func unlink(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        var target = try target(parent, name, caller, for: .take)
        let survey = target.survey
        let plan = try removalPlan(
            survey, isDirectory: false, name, in: target.directory, target.view)
        let upper = plan.isCovered ? try upperDirectory(for: target.directory, &target.view) : nil
        let departing = depart(survey, name, in: target.directory, target.view)
        let change = OwnChange(coherence.noting, target.directory, name)
        if let upper, plan.uncovers, let owner = survey.owner {
            try removeFiles(survey.hidden, name, target.view, except: upper, caller)
            try cover(name, in: upper, of: target.directory) { () throws(Errno) in
                try removeFiles([owner], name, target.view, except: nil, caller)
            }
        } else {
            try removeFiles(survey.standings, name, target.view, except: upper, caller)
            if let upper { try coverWithWhiteout(name, in: upper, of: target.directory) }
        }
        noteTakenAway(name, from: target.directory)
        departing.finish()
        change.left(by: caller)
        target.directory.noteRemoval()
        if keepsListings { habits.noteRemoval(caller.pid, parent) }
        leaveEmptied(target.directory)
    }

    /// Unlinks the files that stand under the name in writable layers, bottom up. The one in the upper is left
    /// where a whiteout is about to replace it (`except`).
    func removeFiles(
        _ standings: some BidirectionalCollection<Standing>, _ name: PathRef,
        _ view: borrowing DirectoryView, except upper: FileDescriptor?, _ caller: CallerIdentity
    ) throws(Errno) {
        for standing in standings.reversed() {
            if standing.isWhiteout || standing.isDirectory || standing.layer.isReadOnly { continue }
            if upper != nil && standing.layer.isUpper { continue }
            guard let directory = view.directory(in: standing.layer.index) else { continue }
            do {
                try asCaller(caller, in: directory) { () throws(Errno) in try directory.unlink(at: name) }
            } catch .noSuchFileOrDirectory where standing.layer !== standings.first?.layer {
                // Gone meanwhile, and it wasn't in sight.
            }
        }
    }
}

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

extension Union {
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
        guard owner.isDirectory else { return table.find(identity(of: owner)) }
        let makeup = Makeup(of: survey)
        if let told = directory.told(name).flatMap({ table.find($0.node) }),
            continues(told, as: makeup, at: name, in: directory)
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

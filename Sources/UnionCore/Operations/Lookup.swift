public import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// Finds `name` in `parent`. ENOENT: the union shows nothing there. The node's lookup count grows by one.
    public func lookup(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        try check(name)
        let directory = try node(parent)
        let view = try view(of: directory)
        let survey = try survey(view, name, in: directory)
        guard survey.isVisible else { return try absentEntry(name, in: directory, view) }
        return try entry(survey, name, in: directory, view)
    }

    /// What isn't there may be remembered too. ENOENT: not here.
    private func absentEntry(
        _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) -> Entry {
        let seconds = try entrySeconds(in: directory, view)
        guard seconds > 0 else { throw .noSuchFileOrDirectory }
        coherence.own.noteTold(OwnChanges.Key(directory.id, name), .absent)
        return Entry.absent(forSeconds: seconds)
    }

    /// The kernel drops `count` of its references to the node.
    public func forget(_ node: NodeID, count: UInt64) {
        guard let gone = table.forget(node, count: count) else { return }
        listings.forget(node)
        gone.forgetOtherPlaces()
        endWatch(of: gone)
    }

    /// The node and attributes of what was found under a name.
    func entry(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        keepsAttributes: Bool = true
    ) throws(Errno) -> Entry {
        var survey = survey
        var attempts = 0
        while true {
            guard let owner = survey.owner else { throw .noSuchFileOrDirectory }
            let filesystem = try filesystem(of: owner, name, view)
            let floor = survey.lastLayer ?? directory.floor
            let node = adopt(survey, owner, filesystem, name, in: directory, floor: floor)
            attempts += 1
            if attempts <= 3, keepsAttributes || node.isDirectory,
                prepareCaching(of: node, survey, name, in: directory, view)
            {
                // Only a look that is younger than the watch may be kept.
                do throws(Errno) {
                    survey = try self.survey(view, name, in: directory)
                } catch {
                    forget(node.id, count: 1)
                    throw error
                }
                guard let again = survey.owner, node.identity.matches(again.status),
                    !node.isDirectory || node.state.withLock({ $0.layersTold }) == survey.layersMark
                else {
                    forget(node.id, count: 1)
                    continue
                }
            }
            do throws(Errno) {
                return try told(survey, node, filesystem, name, in: directory, view)
            } catch {
                forget(node.id, count: 1)
                throw error
            }
        }
    }

    private func told(
        _ survey: Survey, _ node: Node, _ filesystem: FilesystemFacts, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) throws(Errno) -> Entry {
        guard let owner = survey.owner else { return Entry.absent(forSeconds: 0) }
        let attributes = attributes(of: survey, owner, filesystem, at: name, view)
        if coherence.plan.isLasting {
            coherence.own.noteTold(OwnChanges.Key(directory.id, name), .present(node.id))
        }
        return Entry(
            node: node.id, generation: 1, attributes: attributes,
            freshness: Freshness(
                entrySeconds: try entrySeconds(in: directory, view),
                attributeSeconds: attributeSeconds(
                    of: node, telling: attributes, layers: node.isDirectory ? survey.layersMark : 0)))
    }

    private func adopt(
        _ survey: Survey, _ owner: Standing, _ filesystem: FilesystemFacts, _ name: PathRef,
        in directory: Node, floor: Int
    ) -> Node {
        let identity = nodeIdentity(of: owner, companions(of: survey), name, in: directory)
        let node = table.adopt(identity, kind: owner.status.kind) { id in
            Node(
                id: id, kind: owner.status.kind, identity: identity, filesystem: filesystem,
                place: Place(parent: directory, name: name, layer: owner.layer.index), floor: floor)
        }
        node.noteSeen(
            at: directory, name, layer: owner.layer.index, floor: floor, linkCount: owner.status.linkCount)
        return node
    }

    /// A directory that shows at two places of a layer (a bind mount) is a node at each; one that was moved
    /// is the node that it was.
    /// With other companions it is another one; see `Survey.companionsMark`.
    func nodeIdentity(
        of owner: Standing, _ companions: UInt32, _ name: PathRef, in directory: Node
    ) -> ObjectIdentity {
        let identity = self.identity(of: owner, place: companions)
        guard owner.isDirectory, let known = table.find(identity) else { return identity }
        if let place = known.place, place.isAt(directory, name) { return identity }
        guard known.isRoot || (try? view(of: known)) != nil else { return identity }
        let mark = UInt32(truncatingIfNeeded: directory.id.rawValue &* 31 ^ name.hash) ^ companions | 1
        return self.identity(of: owner, place: mark)
    }

    /// Matters only where the kernel keeps something.
    func companions(of survey: Survey) -> UInt32 {
        coherence.plan.isLasting && survey.isMerged ? survey.companionsMark : 0
    }

    func identity(of standing: Standing, place: UInt32 = 0) -> ObjectIdentity {
        let filesystem = stack.filesystems.find(standing.status.device)
        return ObjectIdentity(standing.status, on: filesystem, place: place)
    }

    /// The filesystem that a standing object lives on: its directory's, or one mounted there.
    func filesystem(
        of standing: Standing, _ name: PathRef, _ view: borrowing DirectoryView
    ) throws(Errno) -> FilesystemFacts {
        if let facts = stack.filesystems.find(standing.status.device) { return facts }
        guard let directory = view.directory(in: standing.layer.index) else { throw .noSuchFileOrDirectory }
        let object = try directory.openBeneath(name, flags: [.path, .noFollow])
        return stack.filesystems.facts(of: standing.status.device, asking: object.descriptor)
    }
}

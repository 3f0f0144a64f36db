public import LinuxSystem
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
        return try entry(survey, name, in: directory, view)
    }

    /// The kernel drops `count` of its references to the node.
    public func forget(_ node: NodeID, count: UInt64) {
        _ = table.forget(node, count: count)
    }

    /// The node and attributes of what was found under a name.
    func entry(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) -> Entry {
        guard let owner = survey.owner else { throw .noSuchFileOrDirectory }
        let filesystem = try filesystem(of: owner, name, view)
        let attributes = attributes(of: survey, owner, filesystem, at: name, view)
        let floor = survey.lastLayer ?? directory.floor
        let node = adopt(owner, filesystem, name, in: directory, floor: floor)
        return Entry(node: node.id, generation: 1, attributes: attributes, freshness: .none)
    }

    private func adopt(
        _ owner: Standing, _ filesystem: FilesystemFacts, _ name: PathRef, in directory: Node, floor: Int
    ) -> Node {
        let identity = nodeIdentity(of: owner, name, in: directory)
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
    func nodeIdentity(of owner: Standing, _ name: PathRef, in directory: Node) -> ObjectIdentity {
        let identity = ObjectIdentity(owner.status)
        guard owner.isDirectory, let known = table.find(identity) else { return identity }
        if let place = known.place, place.isAt(directory, name) { return identity }
        guard known.isRoot || (try? view(of: known)) != nil else { return identity }
        let mark = UInt32(truncatingIfNeeded: directory.id.rawValue &* 31 ^ name.hash) | 1
        return ObjectIdentity(owner.status, place: mark)
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

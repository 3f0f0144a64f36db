public import LinuxSystem
public import SystemPackage

/// What is told of a name, and what is to be done about it thereafter.
struct Found {
    var entry: Entry
    /// It is something, and no directory.
    let isFile: Bool
    var lateWatch: LateWatch?

    init(_ entry: Entry, isFile: Bool) {
        self.entry = entry
        self.isFile = isFile
    }
}

extension Union {
    /// Finds `name` in `parent`. ENOENT: the union shows nothing there. The node's lookup count grows by one.
    public func lookup(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> LookedUp {
        try check(name)
        let directory = try node(parent)
        let turn = coherence.lateWatches.begin()
        let found = try directory.lookingUp { () throws(Errno) -> Found in
            let view = try view(of: directory)
            let having = directories(of: view, having: name)
            let survey = try survey(view, name, in: directory, having: having)
            guard survey.isVisible else {
                return Found(try absentEntry(survey, name, in: directory, view), isFile: false)
            }
            try checkSight(survey, name, in: directory, caller)
            return try find(survey, name, in: directory, view, watches: .late)
        }
        if found.isFile && keepsListings { habits.noteLook(caller.pid, parent) }
        return LookedUp(found.entry, found.lateWatch, turn, self)
    }

    /// proc hides processes by who asks (`hidepid=`), and what is in their directories: what the caller can't
    /// see there, he doesn't see here.
    func checkSight(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) {
        guard let owner = survey.owner, let filesystem = stack.filesystems.find(owner.status.device),
            filesystem.type == .proc
        else { return }
        var path = try path(of: directory)
        path.append(name)
        let full = OwnedName(copying: path.ref)
        let layer = owner.layer
        if isServers(full.ref, on: filesystem, in: layer) {
            return try lookElsewhere(full.ref, in: layer, caller)
        }
        try asCaller(caller, exact: caller.uid != 0) { () throws(Errno) in
            let seen = try layer.openObject(at: full.ref)
            _ = try seen.descriptor.status()
        }
    }

    /// What isn't there may be remembered too. ENOENT: not here.
    private func absentEntry(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) -> Entry {
        let seconds = entrySeconds(of: survey, in: directory, view)
        guard seconds > 0 else { throw .noSuchFileOrDirectory }
        coherence.own.noteTold(OwnChanges.Key(directory.id, name), .absent)
        return Entry.absent(forSeconds: seconds)
    }

    /// The kernel drops `count` of its references to the node.
    public func forget(_ node: NodeID, count: UInt64) {
        guard let gone = table.forget(node, count: count) else { return }
        listings.forget(node)
        if gone.isDirectory {
            views.forget(node)
            coherence.ahead.drop(node)
        }
        gone.forgetOtherPlaces()
        endWatch(of: gone)
    }

    /// The node and attributes of what was found under a name.
    func entry(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        keepsAttributes: Bool = true
    ) throws(Errno) -> Entry {
        try find(survey, name, in: directory, view, keepsAttributes: keepsAttributes).entry
    }

    func find(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        keepsAttributes: Bool = true, watches: FileWatch = .first
    ) throws(Errno) -> Found {
        var survey = survey
        // The node of the look before, kept until the next look has its own: its watch must not end between.
        var previous: NodeID?
        defer { if let previous { forget(previous, count: 1) } }
        for attempt in 0... {
            guard let owner = survey.owner else { throw .noSuchFileOrDirectory }
            let filesystem = try filesystem(of: owner, name, view)
            let node = adopt(survey, owner, filesystem, name, in: directory)
            if let previous { forget(previous, count: 1) }
            previous = nil
            let mayKeep = attempt < Self.mostLooks && (keepsAttributes || node.isDirectory)
            let preparation =
                mayKeep
                ? prepareCaching(of: node, survey, name, in: directory, view, watches: watches)
                : .lookedAt(nil)
            if case .lookAgain = preparation {
                // Only a look that is younger than the watch may be kept. It may find another one there.
                previous = node.id
                node.noteNotTold(at: directory, name)
                survey = try self.survey(view, name, in: directory)
                continue
            }
            let latest = preparation.look
            let attributes =
                latest.map { self.attributes($0.status, filesystem) }
                ?? self.attributes(of: survey, owner, filesystem, at: name, view)
            var entry = told(survey, node, attributes, name, in: directory, view)
            if attempt >= Self.mostLooks { entry.freshness = .none }
            // In replies to changes the kernel takes them in whatever it has learnt meanwhile.
            if attempt < Self.mostLooks, keepsAttributes {
                entry.freshness.attributeSeconds = attributeSeconds(
                    of: node, telling: attributes, begun: latest?.begun ?? survey.begun)
            }
            var found = Found(entry, isFile: !node.isDirectory)
            switch preparation {
            case .passing: keepBriefly(&found.entry)
            case .watchLater(let endings):
                found.entry.freshness.attributeSeconds = CoherencePlan.lasting
                found.lateWatch = LateWatch(node: node, told: attributes.mark, endings: endings)
            case .lookedAt, .lookAgain: break
            }
            return found
        }
        throw .noSuchFileOrDirectory
    }

    /// What changes faster than it is looked at isn't kept.
    private static var mostLooks: Int { 6 }

    private func told(
        _ survey: Survey, _ node: Node, _ attributes: Attributes, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) -> Entry {
        if coherence.plan.isLasting {
            coherence.own.noteTold(OwnChanges.Key(directory.id, name), .present(node.id))
        }
        let seconds = entrySeconds(of: survey, in: directory, view)
        return Entry(
            node: node.id, generation: 1, attributes: attributes,
            freshness: Freshness(entrySeconds: seconds, attributeSeconds: 0))
    }

    /// The node of what was found under the name, noted as seen there. Its lookup count grows by one.
    private func adopt(
        _ survey: Survey, _ owner: Standing, _ filesystem: FilesystemFacts, _ name: PathRef,
        in directory: Node
    ) -> Node {
        let floor = survey.floor(in: directory)
        let layers = coherence.plan.isLasting ? survey.layersMark(floor: floor) : 0
        while true {
            let node = adopt(survey, owner, filesystem, name, in: directory, floor: floor, layers)
            // Else it was left meanwhile, and its names were dropped before this one was noted.
            if node.isMade(of: layers) { return node }
            forget(node.id, count: 1)
        }
    }

    private func adopt(
        _ survey: Survey, _ owner: Standing, _ filesystem: FilesystemFacts, _ name: PathRef,
        in directory: Node, floor: Int, _ layers: UInt64
    ) -> Node {
        let identity = nodeIdentity(of: owner, name, in: directory)
        let (kind, layer) = (owner.status.kind, owner.layer.index)
        let node = table.adopt(
            identity, kind: kind,
            where: { $0.isMade(of: layers) && !$0.isIn(otherThan: directory, name) },
            make: { id in
                let place = Place(parent: directory, name: name, layer: layer, told: survey.begun)
                return Node(
                    id: id, kind: kind, identity: identity, filesystem: filesystem, place: place,
                    floor: floor, layers: layers)
            })
        if isFoundByPath(directory) {
            node.noteSeen(
                at: directory, name, layer: layer, floor: floor, linkCount: owner.status.linkCount,
                told: survey.begun)
            if node.isDirectory { noteOlderNodes(than: node, at: directory, name, owner, floor: floor) }
        } else {
            node.noteAlsoSeen(
                at: directory, name, layer: layer, linkCount: owner.status.linkCount, told: survey.begun)
        }
        return node
    }

    /// The directory was found by its path: who stands in one of its older nodes finds it there, too.
    private func noteOlderNodes(
        than node: Node, at directory: Node, _ name: PathRef, _ owner: Standing, floor: Int
    ) {
        for older in table.older(of: node.identity) where older !== node {
            older.noteAlsoSeen(
                at: directory, name, layer: owner.layer.index, linkCount: owner.status.linkCount, told: 0)
            if older.floor != floor { coherence.invalidator.append(.object(older.id)) }
        }
    }

    /// False: who asks stands in the directory, which by its path is another node by now. What that one tells of
    /// what is in it counts for more.
    func isFoundByPath(_ directory: Node) -> Bool {
        guard coherence.plan.isLasting else { return true }
        var current = directory
        for _ in 0..<deepest {
            if current.isRoot { return true }
            let identity = current.identity
            guard table.find(identity) === current else { return false }
            // One of several nodes of the real directory: by the one that it is in.
            guard identity.place != 0, let parent = current.place?.parent else { return true }
            current = parent
        }
        return false
    }

    /// A directory that shows at two places of a layer (a bind mount) is a node at each; one that was moved
    /// is the node that it was. So is one for those who stand in a directory that its path tells anew.
    func nodeIdentity(of owner: Standing, _ name: PathRef, in directory: Node) -> ObjectIdentity {
        let identity = self.identity(of: owner)
        guard owner.isDirectory, let known = table.find(identity) else { return identity }
        if let place = known.place, place.isAt(directory, name) { return identity }
        if known.isIn(otherThan: directory, name) {
            if isFoundByPath(directory) { return identity }
        } else {
            guard known.isRoot || (try? walkedView(of: known)) != nil else { return identity }
        }
        let mark = UInt32(truncatingIfNeeded: directory.id.rawValue &* 31 ^ name.hash) | 1
        return self.identity(of: owner, place: mark)
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

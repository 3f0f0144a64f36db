public import LinuxSystem
internal import Synchronization
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
            do throws(Errno) {
                return try self.found(name, in: directory, caller)
            } catch {
                guard error == .noSuchFileOrDirectory || error == .staleNFSFileHandle,
                    let emptied = try lookupToRemove(name, in: directory, caller)
                else { throw error }
                return emptied
            }
        }
        if found.isFile && keepsListings { habits.noteLook(caller.pid, parent) }
        return LookedUp(found.entry, found.lateWatch, turn, self)
    }

    private func found(
        _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) -> Found {
        let view = try viewToLook(of: directory, for: caller, lookingUp: name)
        let having = directories(of: view, having: name)
        let survey = try survey(view, name, in: directory, having: having)
        guard survey.isVisible else {
            return Found(try absentEntry(survey, name, in: directory, view), isFile: false)
        }
        try checkSight(survey, name, in: directory, caller)
        return try find(survey, name, in: directory, view, watches: .late, caller.pid)
    }

    /// proc hides processes by who asks (`hidepid=`), and what is in their directories: what the caller can't
    /// see there, it doesn't see here.
    func checkSight(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) {
        guard let owner = survey.owner, let filesystem = stack.filesystems.find(owner.status.device),
            filesystem.type == .proc
        else { return }
        let layer = owner.layer
        var path = try path(of: directory, in: layer)
        path.append(name)
        let full = OwnedName(copying: path.ref)
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
        guard seconds > 0, directory.tellAbsent(name, begun: survey.begun) else {
            throw .noSuchFileOrDirectory
        }
        return Entry.absent(forSeconds: seconds)
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
        keepsAttributes: Bool = true, watches: FileWatch = .first, _ thread: Int32 = 0, toRemove: Bool = false
    ) throws(Errno) -> Found {
        var survey = survey
        // The node of the look before, kept until the next look has its own: its watch must not end between.
        var previous: NodeID?
        defer { if let previous { forget(previous, count: 1) } }
        for attempt in 0... {
            let isLast = attempt >= mostLooks
            guard let owner = survey.owner else { throw .noSuchFileOrDirectory }
            let filesystem = try filesystem(of: owner, name, view)
            let node = adopt(survey, owner, filesystem, name, in: directory, isLast: isLast)
            if let previous { forget(previous, count: 1) }
            previous = node?.id
            if let node, isLast || hold(node, survey, name, view) {
                let preparation =
                    !isLast && (keepsAttributes || node.isDirectory)
                    ? prepareCaching(of: node, survey, name, in: directory, view, watches: watches)
                    : .lookedAt(nil)
                let keeping: Keeping = isLast ? .nothing : keepsAttributes ? .all(thread) : .names
                if let found = found(
                    node, survey, owner, filesystem, name, in: directory, view, preparation, keeping)
                {
                    previous = nil
                    return found
                }
            }
            survey = try self.survey(view, name, in: directory, toRemove: toRemove)
        }
        throw .noSuchFileOrDirectory
    }

    /// What of an answer may be kept, if anything.
    private enum Keeping: Equatable {
        case nothing
        /// In replies to changes the kernel takes attributes in whatever it has learnt meanwhile.
        case names
        /// The thread that asks.
        case all(Int32)
    }

    /// What is told of a node that was prepared for. nil: only a look that is younger than the watch may be kept, and it may
    /// find another one there.
    private func found(
        _ node: Node, _ survey: Survey, _ owner: Standing, _ filesystem: FilesystemFacts, _ name: PathRef,
        in directory: Node, _ view: borrowing DirectoryView, _ preparation: Preparation, _ keeping: Keeping
    ) -> Found? {
        if case .lookAgain = preparation { return nil }
        let latest = preparation.look
        var attributes =
            latest.map { self.attributes($0.status, filesystem) }
            ?? self.attributes(of: survey, owner, filesystem, at: name, view)
        if let data = owner.data { attributes.blocks = data.blocks }
        var found = Found(
            told(survey, node, attributes, name, in: directory, view), isFile: !node.isDirectory)
        if keeping == .nothing { found.entry.freshness = .none }
        if case .all(let thread) = keeping {
            found.entry.freshness.attributeSeconds = attributeSeconds(
                of: node, telling: attributes, begun: latest?.begun ?? survey.begun, to: thread)
        }
        switch preparation {
        case .passing: keepBriefly(&found.entry)
        case .watchLater(let endings):
            found.entry.freshness.attributeSeconds = CoherencePlan.lasting
            found.lateWatch = LateWatch(node: node, told: attributes.mark, endings: endings)
        case .lookedAt, .lookAgain: break
        }
        return found
    }

    /// What changes faster than it is looked at isn't kept. But it is held, if that is called for.
    private var mostLooks: Int { held.isActive ? 64 : 6 }

    func told(
        _ survey: Survey, _ node: Node, _ attributes: Attributes, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) -> Entry {
        if node.isDirectory { node.state.withLock { $0.lastTold = attributes } }
        let seconds = entrySeconds(of: survey, in: directory, view)
        return Entry(
            node: node.id, generation: 1, attributes: attributes,
            freshness: Freshness(entrySeconds: seconds, attributeSeconds: 0))
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

internal import Glibc
internal import LinuxSystem
internal import Synchronization

/// One batch of changes, turned into what the kernel must drop. All of this runs on the one thread that tells the
/// kernel.
///
/// A name is dropped only where what the kernel knows by it isn't what the union shows there now: with the name goes
/// whatever users have mounted on it and below it.
struct InvalidationBatch {
    let reporting: Reporting
    let listings: Listings
    let kernel: any KernelCache

    /// Directories whose staleListings are dropped at the end.
    var staleListings: Set<NodeID> = []
    /// Directories in which an event named what the kernel knows already.
    private var unchanged: Set<NodeID> = []
    /// Directories whose names were found right.
    private var found: Set<NodeID> = []
    /// Directories that are made of others than before, whose names are to be put right.
    var remade: [Node] = []
    /// Directories that aren't where the kernel knew them.
    var gone: [Node] = []
    /// Files that the kernel may be about to take in.
    private var unwatchedAttributes: [NodeID] = []

    private init(_ reporting: Reporting, _ listings: Listings, _ kernel: any KernelCache) {
        self.reporting = reporting
        self.listings = listings
        self.kernel = kernel
    }

    var resolver: Resolver { reporting.resolver }
    var table: InodeTable { reporting.table }
    var coherence: Coherence { reporting.coherence }

    static func settle(
        _ changes: [Invalidation], _ reporting: Reporting, _ listings: Listings, _ kernel: any KernelCache
    ) {
        var batch = InvalidationBatch(reporting, listings, kernel)
        batch.resumeUnsettled()
        for change in changes {
            batch.settle(change)
            // What comes next may be in a directory that came with this one.
            batch.putNamesRight()
        }
        batch.dropListings()
    }

    private mutating func settle(_ item: Invalidation) {
        switch item {
        case .entry(let directory, let name):
            let name = OwnedName(name)
            if let directory = table.find(directory) {
                settleName(name.ref, in: directory)
            } else {
                coherence.continuity.forget(EntryKey(directory, name.ref))
            }
        case .object(let node): settleObject(node, isGone: false)
        case .gone(let node): settleObject(node, isGone: true)
        case .names(let node): if let node = table.find(node) { remade.append(node) }
        case .givenBack(let node): settleGivenBack(node)
        case .attributes(let node): dropNode(node, content: false)
        case .unwatchedAttributes(let node): unwatchedAttributes.append(node)
        case .listing(let directory): dropListing(directory)
        case .everything: settleEverything()
        case .mounts: if reporting.concernsMounts { settleEverything() }
        }
    }

    /// Listings last, once a directory: one read between two of its changes would be kept half true.
    private mutating func dropListings() {
        dropAttributes(of: unwatchedAttributes)
        for directory in unchanged.subtracting(staleListings) {
            settleAttributes(of: directory, listing: true)
        }
        for directory in found.subtracting(unchanged) { settleAttributes(of: directory, listing: false) }
        for directory in staleListings { dropListing(directory) }
    }

    /// Something happened to a name in a watched directory.
    mutating func settleName(_ name: PathRef, in directory: Node) {
        let key = EntryKey(directory.id, name)
        for attempt in 1...Self.mostTries {
            waitForOwnChange(key)
            // What has happened so far is noted: the look is younger.
            if directory.reported(name)?.isDirectory == true { coherence.source?.drain() }
            // From here on a look that is older than this one isn't told any more. What was told before is in the table.
            let now = coherence.tick()
            directory.outdateLooks(at: now)
            let parent = directory.makeup.backings
            let lookup = look(at: name, in: directory)
            let isLast = attempt == Self.mostTries
            if !isLast, isOvertaken(name, in: directory, since: now) { continue }
            let reported = directory.reported(name)
            if isRight(reported, lookup, name, in: directory) {
                // It may have been looked at again.
                if !isLast, isOvertaken(name, in: directory, since: now) { continue }
                unchanged.insert(directory.id)
                endDoubts(of: name, in: directory)
                if let reported, reported.isDirectory, let node = table.find(reported.node) {
                    coherence.continuity.settle(key, node.makeup.layers, begun: now)
                    node.noteSettled(in: parent)
                } else {
                    coherence.continuity.forget(key)
                }
                return
            }
            // What was told since is younger than this look.
            if let reported, reported.reported >= now { continue }
            if coherence.own.isPending(key) { continue }
            break
        }
        coherence.continuity.forget(key)
        dropName(name, in: directory)
        staleListings.insert(directory.id)
    }

    /// Whether something has happened to a directory's name since then. Layers are looked at one after the other: what moved
    /// between two of them may have been missed in both. And what happened before a look mustn't count as if it came
    /// thereafter.
    private func isOvertaken(_ name: PathRef, in directory: Node, since now: UInt64) -> Bool {
        guard directory.reported(name)?.isDirectory == true else { return false }
        coherence.source?.drain()
        return coherence.continuity.hasEvents(EntryKey(directory.id, name), since: now)
    }

    /// Then somebody changes the name all the time, and it isn't what anybody has mounted anything on.
    private static var mostTries: Int { 64 }

    /// Whether the kernel, as it was told, knows just what the union shows. (Looks whose answers it takes in later found
    /// nothing else.) A directory that is made of others now is the same, but names in it are to be put right.
    private mutating func isRight(
        _ reported: NodeAlias?, _ lookup: NameLookup?, _ name: PathRef, in directory: Node
    ) -> Bool {
        // In a directory that isn't found nothing is known of its names.
        guard let lookup else { return false }
        // An orphan that doesn't show may begin to, and nobody watches it.
        guard let owner = lookup.owner else { return reported == nil && lookup.unseen == nil }
        // The kernel was told nothing of the name, and of no name in the directory that it is missing.
        if reported == nil && !owner.isDirectory && !directory.mayKnowAbsent { return true }
        guard owner.isDirectory else {
            guard let reported, !reported.isContested, let node = table.find(resolver.identity(of: owner))
            else {
                return false
            }
            return node.id == reported.node
        }
        guard let reported, !reported.isContested, let node = table.find(reported.node),
            resolver.continues(node, as: Makeup(of: lookup), at: name, in: directory)
        else {
            noteSeen(lookup, owner, name, in: directory)
            return reported == nil && !directory.mayKnowAbsent
        }
        // It may have been seen elsewhere meanwhile; or a client has moved it since.
        node.noteSeen(at: reported, ifReported: true)
        remake(node, lookup, name, in: directory)
        found.insert(node.id)
        // It comes and goes with what it holds, however deep: it is asked for each time.
        if lookup.isOrphan { expire(name, in: directory) }
        return true
    }

    /// A directory that the kernel doesn't know by this name, but that somebody may stand in: a stranger has moved it here.
    private mutating func noteSeen(
        _ lookup: NameLookup, _ owner: LayerEntry, _ name: PathRef, in directory: Node
    ) {
        let part = Makeup.part(owner.status, in: owner.layer)
        guard let node = table.directory(ownedBy: part), node.continues(as: Makeup(of: lookup)) else {
            return
        }
        if node.alias?.isAt(directory, name) != true {
            if resolver.stands(node) { return }
            let alias = NodeAlias(of: node, in: directory, name, layer: owner.layer.index, reported: 0)
            alias.withdraw()
            node.noteSeen(at: alias)
        }
        remake(node, lookup, name, in: directory)
    }

    /// An object's own attributes or content changed, or it is gone from where it was.
    private mutating func settleObject(_ id: NodeID, isGone: Bool) {
        guard let node = table.find(id) else { return }
        if node.isDirectory {
            // What is marked on it may have changed, and by that what it is made of.
            if let alias = node.alias { settleName(alias.name, in: alias.parent) }
        } else if !isGone {
            // A look from before isn't told as something that may be kept; the next one sees to the watch.
            node.state.withLock { state in
                state.isCached = false
                state.endings &+= 1
            }
        }
        dropNode(id, content: isGone)
    }

    /// What the union shows there now; nil where the directory isn't found.
    func look(at name: PathRef, in directory: Node) -> NameLookup? {
        guard let view = try? resolver.view(of: directory),
            let lookup = try? resolver.lookup(view, name, in: directory)
        else { return nil }
        // A stranger may have moved a skeleton here: staleListings must look for it.
        if lookup.unseen != nil, let upper = reporting.stack.upper,
            let parent = view.directory(in: upper.index)
        {
            try? reporting.layers.noteHolder(parent)
        }
        return lookup
    }
}

extension InvalidationBatch {
    /// The names are what the kernel knows. But who looked at the directory meanwhile may have seen other changes of
    /// these names, or of its own, whose events say nothing new now. `listing`: a listing may be older than these.
    private func settleAttributes(of directory: NodeID, listing: Bool) {
        guard let directory = table.find(directory) else { return }
        waitUntilQuiet(directory)
        let (isListed, reported) = directory.state.withLock { ($0.isListingReported, $0.reportedAttributes) }
        if isListed && listing { return dropListing(directory.id) }
        if directory.isQuiet {
            if reported == .none { return }
            if let now = try? resolver.attributes(of: directory), reported.isJust(now.fingerprint) { return }
        }
        dropNode(directory.id, content: false)
    }

    private func waitUntilQuiet(_ directory: Node) {
        for _ in 0..<100 {
            if directory.isQuiet { return }
            usleep(10)
        }
    }

    /// What the kernel will know of the name is noted at the end of the change. It holds the directory's lock meanwhile:
    /// a drop would wait just as long.
    private func waitForOwnChange(_ key: EntryKey) {
        var pause: UInt32 = 20
        while coherence.own.isPending(key), !coherence.invalidations.isStopped {
            usleep(pause)
            pause = min(pause * 2, 1000)
        }
    }
}

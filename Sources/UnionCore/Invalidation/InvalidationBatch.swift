internal import Glibc
internal import LinuxSystem
internal import Synchronization

/// One batch of changes, turned into what the kernel must drop. All of this runs on the notify thread.
///
/// A name is dropped only if what the kernel knows by it isn't what the union shows there now. With the name
/// goes whatever users have mounted on it and below it.
struct InvalidationBatch {
    let reporting: Reporting
    let listings: Listings
    let kernel: any KernelCache

    /// Directories whose listings are dropped at the end.
    var staleListings: Set<NodeID> = []
    /// Directories in which an event named what the kernel knows already.
    private var unchanged: Set<NodeID> = []
    /// Directories whose names were found right.
    private var found: Set<NodeID> = []
    /// Directories that are made of other parts than before. Their names must be put right.
    var remade: [Node] = []
    /// Those of them that are done, by what they were made of then.
    var putRight: Set<NodeID> = []
    /// Directories that aren't where the kernel knew them.
    var gone: [Node] = []
    /// Files whose attributes the kernel may be about to take in.
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
            // The next change may be in a directory that came with this one.
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
        case .unknown(let directory, let name):
            let name = OwnedName(name)
            if let directory = table.find(directory) { drop(name.ref, in: directory, isUnknown: true) }
        case .object(let node): settleObject(node, isGone: false)
        case .gone(let node): settleObject(node, isGone: true)
        case .names(let node): if let node = table.find(node) { remade.append(node) }
        case .fileAttributes(let directory, let name):
            let name = OwnedName(name)
            settleFileAttributes(name.ref, in: directory)
        case .filesUnkept(let directory):
            if let directory = table.find(directory) { reporting.endFilesWatch(of: directory) }
        case .controls(let directory, let scope): settleControls(directory, scope)
        case .allControls: settleAllControls()
        case .givenBack(let node): settleGivenBack(node)
        case .attributes(let node): dropNode(node, content: false)
        case .unwatchedAttributes(let node): unwatchedAttributes.append(node)
        case .listing(let directory): dropListing(directory)
        case .everything: settleEverything()
        case .mounts: if reporting.concernsMounts { settleEverything() }
        }
    }

    /// Drops listings, last of all and once a directory. A listing that was read between two changes would be
    /// kept half true.
    private mutating func dropListings() {
        dropAttributes(of: unwatchedAttributes)
        for directory in unchanged.subtracting(staleListings) {
            settleAttributes(of: directory, listing: true)
        }
        for directory in found.subtracting(unchanged) { settleAttributes(of: directory, listing: false) }
        for directory in staleListings { dropListing(directory) }
    }

    /// Looks at a name in a watched directory, to which something has happened.
    mutating func settleName(_ name: PathRef, in directory: Node) {
        let key = EntryKey(directory.id, name)
        let known = directory.reported(name).flatMap { $0.isDirectory ? table.find($0.node) : nil }
        let backings = known?.makeup.backings
        for attempt in 1...Self.mostTries {
            waitForOwnChange(key)
            // After this, what has happened so far is noted, so the look is younger.
            if directory.reported(name)?.isDirectory == true { coherence.source?.drain() }
            // From here on a look that is older than this one isn't reported any more. What was reported
            // before is in the table.
            let now = coherence.tick()
            directory.outdateLooks(at: now)
            let parent = directory.makeup.backings
            let lookup = look(at: name, in: directory)
            let isLast = attempt == Self.mostTries
            if !isLast, isOvertaken(name, in: directory, since: now) { continue }
            noteGoneStrays(at: name, in: directory, lookup)
            let reported = directory.reported(name)
            if isRight(reported, lookup, name, in: directory) {
                // Another look may have been made of it since.
                if !isLast, isOvertaken(name, in: directory, since: now) { continue }
                unchanged.insert(directory.id)
                endDoubts(of: name, in: directory)
                if let reported, reported.isDirectory, let node = table.find(reported.node) {
                    noteSettled(node, key, begun: now, from: backings, in: parent)
                } else {
                    coherence.continuity.forget(key)
                }
                return
            }
            // What was reported since is younger than this look.
            if let reported, reported.reported >= now { continue }
            if coherence.own.isPending(key) { continue }
            break
        }
        drop(name, in: directory, isUnknown: false)
    }

    /// Drops the name in a directory where it is.
    private mutating func drop(_ name: PathRef, in directory: Node, isUnknown: Bool) {
        coherence.continuity.forget(EntryKey(directory.id, name))
        dropName(name, in: directory, isUnknown: isUnknown)
        staleListings.insert(directory.id)
    }

    /// The kernel knows the directory by the name, as the look found it that was begun at that time. `backings`: what it was
    /// made of before; `parent`: what the directory that it is in is made of.
    private func noteSettled(
        _ node: Node, _ key: EntryKey, begun: UInt64, from backings: UInt64?, in parent: UInt64
    ) {
        let makeup = node.makeup
        let wasWatchedWhole =
            makeup.backings == backings && node.settledIn == parent && !coherence.continuity.hasCome(key)
        // Before the name is settled: `Continuity` looks in the other order.
        if !wasWatchedWhole { node.noteWatchedWhole(at: coherence.tick()) }
        coherence.continuity.settle(key, makeup.layers, begun: begun)
        node.noteSettled(in: parent)
    }

    /// Whether something has happened to a directory's name since then. Layers are looked at one after the
    /// other, so what moved between two of them may have been missed in both. And what happened before a look
    /// must not count as if it came after it.
    private func isOvertaken(_ name: PathRef, in directory: Node, since now: UInt64) -> Bool {
        guard directory.reported(name)?.isDirectory == true else { return false }
        coherence.source?.drain()
        return coherence.continuity.hasEvents(EntryKey(directory.id, name), since: now)
    }

    /// After so many tries the name is dropped. A program changes it all the time, and it isn't one that a
    /// user has mounted anything on.
    private static var mostTries: Int { 64 }

    /// Whether what was reported to the kernel is just what the union shows. (Looks whose answers the kernel
    /// takes in later found nothing else.) A directory that is made of other parts now is the same one, but
    /// names in it must be put right.
    private mutating func isRight(
        _ reported: NodeAlias?, _ lookup: NameLookup?, _ name: PathRef, in directory: Node
    ) -> Bool {
        // The directory isn't found, so nothing is known of its names.
        guard let lookup else { return false }
        // An orphan that doesn't show may begin to, and no watch tells of that.
        guard let owner = lookup.owner else { return reported == nil && lookup.unseen == nil }
        // The kernel was told nothing of the name. Nor was it told of any name in the directory that it is
        // missing.
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
        // It may have been seen elsewhere meanwhile, or a client has moved it since.
        node.noteSeen(at: reported, ifReported: true)
        remake(node, lookup, name, in: directory)
        found.insert(node.id)
        // An orphan comes and goes with what it holds, however deep: it is asked for each time.
        if lookup.isOrphan { expire(name, in: directory) }
        return true
    }

    /// Notes where a directory is that a stranger has moved here. The kernel doesn't know it by this name,
    /// but a process may stand in it.
    private mutating func noteSeen(
        _ lookup: NameLookup, _ owner: LayerEntry, _ name: PathRef, in directory: Node
    ) {
        let part = Makeup.part(owner.status, in: owner.layer)
        let stray = coherence.strays.all(in: directory).first { $0.alias?.isAt(directory, name) == true }
        guard let node = table.directory(ownedBy: part) ?? stray, node.continues(as: Makeup(of: lookup))
        else { return }
        if node.alias?.isAt(directory, name) != true {
            if resolver.stands(node) { return }
            let alias = NodeAlias(of: node, in: directory, name, layer: owner.layer.index, reported: 0)
            alias.withdraw()
            node.noteSeen(at: alias)
        }
        noteStray(node)
        remake(node, lookup, name, in: directory)
    }

    /// Looks at an object whose own attributes or content changed, or that has gone from where it was.
    private mutating func settleObject(_ id: NodeID, isGone: Bool) {
        guard let node = table.find(id) else { return }
        if node.isDirectory {
            // The marks on it may have changed, and by them what it is made of.
            if let alias = node.alias { settleName(alias.name, in: alias.parent) }
        } else {
            endWatching(node)
        }
        dropNode(id, content: isGone)
    }

    /// Notes that a file's watch is perhaps another file's, or tells no more. An earlier look isn't reported as something that
    /// may be kept, and the next one sees to the watch.
    func endWatching(_ file: Node) {
        file.state.withLock { state in
            state.isCached = false
            state.endings &+= 1
        }
    }

    /// What the union shows there now. nil: the directory isn't found.
    func look(at name: PathRef, in directory: Node) -> NameLookup? {
        guard let view = try? resolver.view(of: directory),
            let lookup = try? resolver.lookup(view, name, in: directory, filtered: true)
        else { return nil }
        noteIfPassing(directory, view)
        // A stranger may have moved a skeleton here: listings must look for it.
        if lookup.unseen != nil, let upper = reporting.stack.upper,
            let parent = view.directory(in: upper.index)
        {
            try? reporting.layers.noteHolder(parent)
        }
        return lookup
    }

    /// A look in a directory that is made of others than it is known to be made of. These may go before the
    /// event of their coming is dealt with, and then the directory is what it was, but the name's own events
    /// are through. So its names are looked at once more with the next batch. (There is one: of what comes or
    /// goes there are events.)
    private func noteIfPassing(_ directory: Node, _ view: borrowing DirectoryView) {
        if directory.isRoot || view.isMade(of: directory.makeup.backings) { return }
        coherence.unsettled.withLock { _ = $0.insert(directory.id) }
    }
}

extension InvalidationBatch {
    /// Drops the directory's attributes unless they are what was reported. Its names are what the kernel
    /// knows. But a thread that looked at the directory meanwhile may have seen other changes of these names,
    /// or of its own, whose events say nothing new now. `listing`: a listing may be older than these changes,
    /// so it is dropped.
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

    /// Waits for the end of a change through the union, at which it is noted what the kernel will know of the
    /// name. The change holds the directory's lock meanwhile: a drop would wait just as long.
    private func waitForOwnChange(_ key: EntryKey) {
        var pause: UInt32 = 20
        while coherence.own.isPending(key), !coherence.invalidations.isStopped {
            usleep(pause)
            pause = min(pause * 2, 1000)
        }
    }
}

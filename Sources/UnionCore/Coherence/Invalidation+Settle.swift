internal import Glibc
internal import LinuxSystem
internal import Synchronization
public import SystemPackage

// What changed underneath, turned into what the kernel must drop. All of this runs on the one thread that
// tells the kernel.

extension Union {
    /// Starts to watch, before the kernel is told anything. Does nothing where nothing may be kept.
    public func startCoherence(_ kernel: any KernelCache) throws(Errno) {
        guard coherence.plan.isLasting else { return }
        watchRoots()
        let thread = try WorkerThread.spawn(name: "switchfs-notify") { [self] in
            while let batch = coherence.invalidator.take() {
                let sent = coherence.invalidator.sent.load(ordering: .relaxed)
                settle(batch, kernel)
                let hasTold = coherence.invalidator.sent.load(ordering: .relaxed) != sent
                coherence.invalidator.finish(hasTold: hasTold)
                if !hasTold { usleep(coherence.invalidator.patience) }
            }
        }
        coherence.thread.withLock { $0 = thread }
    }

    /// When this returns, the kernel is told no more.
    public func stopCoherence() {
        coherence.invalidator.stop()
        coherence.thread.withLock { $0.take() }?.join()
    }

    /// Who takes the events in.
    public var changeSink: any ChangeSink { coherence.invalidator }

    /// Returns when every change made underneath before the call shows in the union: the events that the
    /// kernel has queued are taken in, and what they concern is dropped.
    public func synchronizeChanges() {
        guard coherence.plan.isLasting else { return }
        coherence.source?.drain()
        for node in coherence.brieflyKept.take() { coherence.invalidator.append(.brieflyKept(node)) }
        coherence.invalidator.waitForAll()
    }

    private func watchRoots() {
        var isWatched = true
        for layer in stack.layers where coherence.plan.choices[layer.index].mode == .watch {
            let root = layer.root.descriptor
            let hasWatch =
                coherence.source?.watch(root, for: .root, layer: layer.index, isDirectory: true) ?? false
            isWatched = isWatched && hasWatch
        }
        if !isWatched { coherence.degraded.add(1, ordering: .relaxed) }
        table.root.state.withLock { $0.isCached = isWatched }
    }

    private func settle(_ batch: [Invalidation], _ kernel: any KernelCache) {
        // Listings last, once a directory: one read between two of its changes would be kept half true.
        var wake = Wake()
        for item in batch {
            switch item {
            case .entry(let directory, let name): settle(directory, name, kernel, &wake)
            case .object(let node): settleObject(node, kernel, &wake)
            case .gone(let node):
                if let gone = table.find(node), gone.isDirectory { wake.gone.insert(node) }
                drop(node, content: true, kernel)
            case .name(let directory, let name):
                drop(directory, name, kernel)
                wake.listings.insert(directory)
            case .attributes(let node): drop(node, content: false, kernel)
            case .brieflyKept(let node): wake.brieflyKept.append(node)
            case .listing(let directory): dropListing(directory, kernel)
            case .everything: dropEverything(kernel)
            case .mounts: if concernsMounts { dropEverything(kernel) }
            }
        }
        dropAttributes(of: wake.brieflyKept, kernel)
        dropContents(wake, kernel)
        for directory in wake.ownChanges.subtracting(wake.listings) {
            settleOwnChanges(in: directory, kernel)
        }
        for directory in wake.listings { drop(directory, content: true, kernel) }
    }

    /// What a batch leaves to be done at its end.
    private struct Wake {
        var listings: Set<NodeID> = []
        /// Directories that are made of others than the kernel knows them as, and whatever is below them.
        var changed: Set<NodeID> = []
        /// Directories that aren't where they were.
        var gone: Set<NodeID> = []
        /// Directories that the union itself changed names in.
        var ownChanges: Set<NodeID> = []
        /// Files that the kernel may be about to take in.
        var brieflyKept: [NodeID] = []
    }

    /// A name came, went or moved in a watched directory. Dropped in any case but that of a change of our own:
    /// which of several objects that were there by turns the kernel knows, nobody can say.
    private func settle(_ id: NodeID, _ bytes: [UInt8], _ kernel: any KernelCache, _ wake: inout Wake) {
        guard let directory = table.find(id) else { return }
        let name = OwnedName(bytes)
        let key = OwnChanges.Key(id, name.ref)
        waitForOwnChange(key)
        let note = coherence.own.note(key)
        let survey = lookAgain(at: name.ref, in: directory)
        if let note, let survey, note == known(survey, name.ref, in: directory) {
            wake.ownChanges.insert(id)
            return
        }
        if let survey { leave(survey, name.ref, in: directory, kernel, &wake) }
        drop(id, bytes, kernel)
        wake.listings.insert(id)
    }

    private func lookAgain(at name: PathRef, in directory: Node) -> Survey? {
        guard let view = try? view(of: directory), let survey = try? survey(view, name, in: directory) else {
            return nil
        }
        // A stranger may have moved a skeleton here: listings must look for it.
        if survey.unseen != nil, let upper = stack.upper, let parent = view.directory(in: upper.index) {
            try? noteHolder(parent)
        }
        return survey
    }

    private func lookAgain(at place: Place) -> Survey? { lookAgain(at: place.name, in: place.parent) }

    /// Directories of which the survey shows that they are made of others than they were told with: who stands
    /// in one must see that. By a path such a directory is found as a new node.
    private func leave(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ kernel: any KernelCache, _ wake: inout Wake
    ) {
        let mark = survey.layersMark(in: directory)
        for standing in survey.standings where standing.isDirectory {
            for node in nodes(of: standing, name, in: directory)
            where !node.isMade(of: mark) && mayJudge(node, in: directory) {
                leave(node, survey, in: directory, kernel, &wake)
            }
        }
    }

    /// Those that the kernel knows the directory by, and older ones that it was known by there.
    private func nodes(of standing: Standing, _ name: PathRef, in directory: Node) -> [Node] {
        let older = table.older.filter { node in
            node.identity.matches(standing.status) && node.places.contains { $0.isAt(directory, name) }
        }
        guard let node = knownNode(of: standing, name, in: directory) else { return older }
        return older + [node]
    }

    /// What is made of what is told by the directory that its path leads to, not by one of which only who stands
    /// in it knows.
    private func mayJudge(_ node: Node, in directory: Node) -> Bool {
        if isFoundByPath(directory) { return true }
        // Places are where a node was seen, ever.
        return !node.places.contains { isFoundByPath($0.parent) && lookAgain(at: $0)?.shows(node) == true }
    }

    private func leave(
        _ node: Node, _ survey: Survey, in directory: Node, _ kernel: any KernelCache, _ wake: inout Wake
    ) {
        let floor = survey.floor(in: directory)
        node.state.withLock { $0.leave(floor) }
        // Replies on their way are taken in before the names are dropped.
        waitForReplies(in: node.id, kernel)
        wake.changed.insert(node.id)
    }

    /// The same for a node that its path doesn't lead to any more, but that somebody stands in.
    private func leaveOther(
        _ node: Node, at place: Place, _ kernel: any KernelCache, _ wake: inout Wake
    ) {
        guard !wake.changed.contains(node.id), let survey = lookAgain(at: place),
            !node.isMade(of: survey.layersMark(in: place.parent))
        else { return }
        leave(node, survey, in: place.parent, kernel, &wake)
        // Two looks at once may have told it last.
        drop(place.parent.id, Array(place.name), kernel)
    }

    /// Drops all that the kernel keeps below directories that changed as a whole: what is in use there
    /// outlives the drop of their own names.
    private func dropContents(_ wake: Wake, _ kernel: any KernelCache) {
        var pending = wake.changed.union(wake.gone)
        guard !pending.isEmpty else { return }
        var seen = pending
        let nodes = table.all
        while !pending.isEmpty {
            var below: Set<NodeID> = []
            for node in nodes {
                for place in node.places where pending.contains(place.parent.id) {
                    drop(place.parent.id, Array(place.name), kernel)
                    guard node.isDirectory, !wake.gone.contains(place.parent.id) else { continue }
                    below.insert(node.id)
                    if mayJudge(node, in: place.parent), hasOtherFloor(node, at: place) {
                        dropNames(of: node, kernel)
                    }
                }
            }
            for directory in pending { drop(directory, content: true, kernel) }
            pending = below.subtracting(seen)
            seen.formUnion(pending)
        }
    }

    /// A mark above may have begun or ceased to end the search for what backs the directory: then it is left,
    /// wherever it is known. Who stands in it doesn't ask for its name again.
    private func hasOtherFloor(_ node: Node, at place: Place) -> Bool {
        guard let survey = lookAgain(at: place), survey.shows(node) else { return false }
        let floor = survey.floor(in: place.parent)
        return node.state.withLock { state in
            if state.floor == floor { return false }
            state.leave(floor)
            return true
        }
    }

    /// The names are what the kernel made them. But who looked at the directory meanwhile may have seen other
    /// changes of these names, whose events say nothing new now.
    private func settleOwnChanges(in directory: NodeID, _ kernel: any KernelCache) {
        guard let directory = table.find(directory) else { return }
        waitUntilQuiet(directory)
        let (isListed, told) = directory.state.withLock { ($0.isListingTold, $0.attributesTold) }
        if isListed { return dropListing(directory.id, kernel) }
        if directory.isQuiet {
            if told == .none { return }
            if let now = try? attributes(of: directory, handle: nil), told == .one(now.mark) { return }
        }
        drop(directory.id, content: false, kernel)
    }

    private func waitUntilQuiet(_ directory: Node) {
        for _ in 0..<100 {
            if directory.isQuiet { return }
            usleep(10)
        }
    }

    /// A change of ours that is under way ends soon; then its event says nothing new.
    private func waitForOwnChange(_ key: OwnChanges.Key) {
        for _ in 0..<1000 {
            guard case .pending = coherence.own.note(key) else { return }
            usleep(20)
        }
    }

    /// What the union shows, as a note of our own would say it. nil: anything that the kernel wasn't told.
    private func known(_ survey: Survey, _ name: PathRef, in directory: Node) -> OwnChanges.Note? {
        // An orphan that doesn't show may begin to, and nobody watches it.
        guard let owner = survey.owner else { return survey.unseen == nil ? .absent : nil }
        guard let node = knownNode(of: owner, name, in: directory), node.kind == owner.status.kind,
            node.isDirectory
                ? node.place?.isAt(directory, name) == true
                : node.places.contains(where: { $0.isAt(directory, name) }),
            node.isMade(of: survey.layersMark(in: directory))
        else { return nil }
        return .present(node.id)
    }

    /// An object's own attributes or content changed.
    private func settleObject(_ id: NodeID, _ kernel: any KernelCache, _ wake: inout Wake) {
        guard let node = table.find(id) else { return }
        if node.isDirectory {
            if let place = node.place, let survey = lookAgain(at: place),
                !node.isMade(of: survey.layersMark(in: place.parent))
            {
                // A mark of it changed.
                settle(place.parent.id, Array(place.name), kernel, &wake)
                leaveOther(node, at: place, kernel, &wake)
            }
        } else {
            // Its watch may have ended with this event.
            node.state.withLock { state in
                state.isCached = false
                state.endings &+= 1
            }
        }
        drop(id, content: false, kernel)
    }

    private func drop(_ directory: NodeID, _ name: [UInt8], _ kernel: any KernelCache) {
        let name = OwnedName(name)
        table.find(directory)?.state.withLock { $0.lastDrop = coherence.tick() }
        coherence.invalidator.sent.add(1, ordering: .relaxed)
        try? kernel.dropEntry(directory, name.ref)
    }

    private func dropNames(of node: Node, _ kernel: any KernelCache) {
        for place in node.places { drop(place.parent.id, Array(place.name), kernel) }
    }

    private func dropAttributes(of files: [NodeID], _ kernel: any KernelCache) {
        let parents = Set(files.flatMap { table.find($0)?.places.map(\.parent.id) ?? [] })
        for parent in parents { waitForReplies(in: parent, kernel) }
        for node in files { drop(node, content: false, kernel) }
    }

    /// A listing that must not be kept may be on its way.
    private func dropListing(_ directory: NodeID, _ kernel: any KernelCache) {
        waitForReplies(in: directory, kernel)
        drop(directory, content: true, kernel)
    }

    /// Takes and leaves the directory's lock, which the kernel holds from a request until it has taken the
    /// reply in.
    private func waitForReplies(in directory: NodeID, _ kernel: any KernelCache) {
        try? kernel.dropEntry(directory, impossibleName)
    }

    /// The kernel may be about to take in a node for the first time, from a reply older than the change: then
    /// it has nothing to drop yet. Taking and leaving the lock of each directory that told the node waits for
    /// such a reply; after that it can be dropped.
    private func drop(_ id: NodeID, content: Bool, _ kernel: any KernelCache) {
        table.find(id)?.state.withLock { state in
            state.attributesTold = .none
            if content { state.isListingTold = false }
        }
        coherence.invalidator.sent.add(1, ordering: .relaxed)
        do throws(Errno) {
            try kernel.dropNode(id, content: content)
        } catch {
            guard error == .noSuchFileOrDirectory, let node = table.find(id) else { return }
            for place in node.places { waitForReplies(in: place.parent.id, kernel) }
            try? kernel.dropNode(id, content: content)
        }
    }

    /// After an overflow nothing is known of what was watched.
    private func dropEverything(_ kernel: any KernelCache) {
        try? kernel.dropAllNames()
        for node in table.all {
            dropNames(of: node, kernel)
            drop(node.id, content: true, kernel)
        }
        drop(.root, content: true, kernel)
    }
}

/// A name that no client can have asked for: dropping it drops nothing.
private var impossibleName: PathRef { "\u{1}switchfs-barrier" }

extension Survey {
    /// Whether the node's real directory is one of those that make the object up.
    fileprivate func shows(_ node: Node) -> Bool {
        visible.contains { node.identity.matches($0.status) }
    }
}

extension Array where Element == UInt8 {
    fileprivate init(_ name: PathRef) { self = unsafe Array(name.bytes) }
}

extension Node.State {
    /// The directory isn't what it was told as. Who asks for its name gets a new node; this one is for who stands
    /// in it.
    fileprivate mutating func leave(_ floor: Int) {
        isCached = false
        endings &+= 1
        layersTold = Survey.madeOfOthers
        self.floor = floor
    }
}

internal import Glibc
internal import LinuxSystem
internal import Synchronization

/// One batch of changes, turned into what the kernel must drop. All of this runs on the one thread that tells the
/// kernel.
struct Settlement {
    let union: Union
    let kernel: any KernelCache

    /// Directories whose listings are dropped at the end.
    private var listings: Set<NodeID> = []
    /// Directories that are made of others than the kernel knows them as, and whatever is below them.
    var changed: Set<NodeID> = []
    /// Directories that aren't where they were.
    var gone: Set<NodeID> = []
    /// Directories that the union itself changed names in.
    private var ownChanges: Set<NodeID> = []
    /// Names that something was renamed over, and when.
    var replaced: [OwnChanges.Key: UInt64] = [:]
    /// Files that the kernel may be about to take in.
    private var brieflyKept: [NodeID] = []

    private init(_ union: Union, _ kernel: any KernelCache) {
        self.union = union
        self.kernel = kernel
    }

    var table: InodeTable { union.table }
    var coherence: Coherence { union.coherence }

    static func settle(_ batch: [Invalidation], of union: Union, _ kernel: any KernelCache) {
        var settlement = Settlement(union, kernel)
        for item in batch { settlement.settle(item) }
        settlement.finish()
    }

    private mutating func settle(_ item: Invalidation) {
        switch item {
        case .entry(let directory, let name):
            let name = OwnedName(name)
            settleEntry(directory, name.ref)
        case .object(let node): settleObject(node)
        case .gone(let node):
            if table.find(node)?.isDirectory == true { gone.insert(node) }
            drop(node, content: true)
        case .name(let directory, let name):
            let name = OwnedName(name)
            drop(directory, name.ref)
            listings.insert(directory)
        case .replaced(let key, let time): replaced[key] = time
        case .attributes(let node): drop(node, content: false)
        case .brieflyKept(let node): brieflyKept.append(node)
        case .listing(let directory): dropListing(directory)
        case .everything: dropEverything()
        case .mounts: if union.concernsMounts { dropEverything() }
        }
    }

    /// Listings last, once a directory: one read between two of its changes would be kept half true.
    private mutating func finish() {
        dropAttributes(of: brieflyKept)
        leaveReplaced()
        dropContents()
        for directory in ownChanges.subtracting(listings) { settleOwnChanges(in: directory) }
        for directory in listings { drop(directory, content: true) }
    }

    /// A name came, went or moved in a watched directory. Dropped in any case but that of a change of our own:
    /// which of several objects that were there by turns the kernel knows, nobody can say.
    private mutating func settleEntry(_ id: NodeID, _ name: PathRef) {
        guard let directory = table.find(id) else { return }
        let key = OwnChanges.Key(id, name)
        waitForOwnChange(key)
        let note = coherence.own.note(key)
        let survey = lookAgain(at: name, in: directory)
        if let note, let survey, note == known(survey, name, in: directory) {
            ownChanges.insert(id)
            return
        }
        if let survey { leave(survey, name, in: directory) }
        drop(id, name)
        listings.insert(id)
    }

    /// An object's own attributes or content changed.
    private mutating func settleObject(_ id: NodeID) {
        guard let node = table.find(id) else { return }
        if node.isDirectory {
            if let (place, survey) = standing(of: node),
                !node.isMade(of: survey.layersMark(in: place.parent))
            {
                // A mark of it changed.
                settleEntry(place.parent.id, place.name)
                leaveOther(node, at: place)
            }
        } else {
            // Its watch may have ended with this event.
            node.state.withLock { state in
                state.isCached = false
                state.endings &+= 1
            }
        }
        drop(id, content: false)
    }

    /// What the union shows there now; nil where the directory isn't found.
    func lookAgain(at name: PathRef, in directory: Node) -> Survey? {
        guard let view = try? union.foundView(of: directory),
            let survey = try? union.survey(view, name, in: directory)
        else { return nil }
        // A stranger may have moved a skeleton here: listings must look for it.
        if survey.unseen != nil, let upper = union.stack.upper, let parent = view.directory(in: upper.index) {
            try? union.noteHolder(parent)
        }
        return survey
    }

    func lookAgain(at place: Place) -> Survey? { lookAgain(at: place.name, in: place.parent) }
}

// Changes of the union's own.
extension Settlement {
    /// The names are what the kernel made them. But who looked at the directory meanwhile may have seen other
    /// changes of these names, whose events say nothing new now.
    private func settleOwnChanges(in directory: NodeID) {
        guard let directory = table.find(directory) else { return }
        waitUntilQuiet(directory)
        let (isListed, told) = directory.state.withLock { ($0.isListingTold, $0.attributesTold) }
        if isListed { return dropListing(directory.id) }
        if directory.isQuiet {
            if told == .none { return }
            if let now = try? union.attributes(of: directory, handle: nil), told == .one(now.mark) { return }
        }
        drop(directory.id, content: false)
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
        guard let node = union.knownNode(of: owner, name, in: directory), node.kind == owner.status.kind,
            node.isDirectory
                ? node.place?.isAt(directory, name) == true
                : node.places.contains(where: { $0.isAt(directory, name) }),
            node.isMade(of: survey.layersMark(in: directory))
        else { return nil }
        return .present(node.id)
    }
}

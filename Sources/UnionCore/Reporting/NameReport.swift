internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

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

extension Reporting {
    /// What a caller finds that is about to remove a directory; nil: that isn't what it does, or it is none of those.
    func lookupToRemove(
        _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) -> Found? {
        guard !resolver.emptied.isEmpty, caller.pid > 0, removesDirectory(thread: caller.pid),
            let view = try? resolver.viewToRemove(in: directory),
            let survey = try? resolver.survey(view, name, in: directory, toRemove: true), survey.isOrphan
        else { return nil }
        return try find(survey, name, in: directory, view, watches: .never, toRemove: true)
    }

    /// What isn't there may be remembered too. ENOENT: not here.
    func absentEntry(
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
            let filesystem = try resolver.filesystem(of: owner, name, view)
            let node = adopt(survey, owner, filesystem, name, in: directory, isLast: isLast)
            if let previous { forget(previous, count: 1) }
            previous = node?.id
            if let node, isLast || resolver.hold(node, survey, name, view) {
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
            survey = try resolver.survey(view, name, in: directory, toRemove: toRemove)
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
            latest.map { resolver.attributes($0.status, filesystem) }
            ?? resolver.attributes(of: survey, owner, filesystem, at: name, view)
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
    private var mostLooks: Int { resolver.held.isActive ? 64 : 6 }

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
}

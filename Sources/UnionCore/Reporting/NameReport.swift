internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What is reported of a name, and what is to be done about it thereafter.
struct NameReport {
    var entry: Entry
    /// It is an object, and no directory.
    let isFile: Bool
    var deferredWatch: DeferredWatch?

    init(_ entry: Entry, isFile: Bool) {
        self.entry = entry
        self.isFile = isFile
    }
}

extension Reporting {
    /// What a caller finds that is about to remove a directory. nil: the caller does something else, or this
    /// is no emptied orphan.
    func lookupToRemove(
        _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) -> NameReport? {
        guard !resolver.emptied.isEmpty, caller.pid > 0, removesDirectory(thread: caller.pid),
            let view = try? resolver.viewToRemove(in: directory),
            let lookup = try? resolver.lookup(view, name, in: directory, toRemove: true), lookup.isOrphan
        else { return nil }
        return try find(lookup, name, in: directory, view, watches: .never, toRemove: true)
    }

    /// The answer for a name that isn't there, which may be remembered too. ENOENT: it may not be remembered.
    func absentEntry(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) -> Entry {
        let seconds = entrySeconds(of: lookup, in: directory, view)
        guard seconds > 0, directory.reportAbsent(name, begun: lookup.begun) else {
            throw .noSuchFileOrDirectory
        }
        return Entry.absent(forSeconds: seconds)
    }

    /// The node and attributes of what was found under a name.
    func entry(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        keepsAttributes: Bool = true, filtered: Bool = false
    ) throws(Errno) -> Entry {
        try find(
            lookup, name, in: directory, view, keepsAttributes: keepsAttributes, filtered: filtered
        ).entry
    }

    /// The same, with the watch that is to be set. `filtered`: further looks leave out what the first one could
    /// (`Resolver.lookup`).
    func find(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        keepsAttributes: Bool = true, watches: FileWatch = .first, _ thread: Int32 = 0,
        filtered: Bool = false, toRemove: Bool = false
    ) throws(Errno) -> NameReport {
        var lookup = lookup
        // The node of the look before, kept until the next look has its own: its watch must not end in
        // between.
        var previous: NodeID?
        defer { if let previous { forget(previous, count: 1) } }
        for attempt in 0... {
            let isLast = attempt >= mostLooks
            guard let owner = lookup.owner else { throw .noSuchFileOrDirectory }
            let filesystem = try resolver.filesystem(of: owner, name, view)
            let node = reportNode(lookup, owner, filesystem, name, in: directory, isLast: isLast)
            if let previous { forget(previous, count: 1) }
            previous = node?.id
            if let node, isLast || resolver.hold(node, lookup, name, view) {
                let preparation =
                    !isLast && (keepsAttributes || node.isDirectory)
                    ? prepareCaching(of: node, lookup, name, in: directory, view, watches: watches)
                    : .lookedAt(nil)
                let keeping: Keeping = isLast ? .nothing : keepsAttributes ? .all(thread) : .names
                if let found = found(
                    node, lookup, owner, filesystem, name, in: directory, view, preparation, keeping)
                {
                    previous = nil
                    return found
                }
            }
            lookup = try resolver.lookup(view, name, in: directory, filtered: filtered, toRemove: toRemove)
        }
        throw .noSuchFileOrDirectory
    }

    /// What of an answer may be kept, if anything.
    private enum Keeping: Equatable {
        case nothing
        /// Names only: in replies to changes the kernel takes attributes in, whatever it has learnt
        /// meanwhile.
        case names
        /// Names and attributes. The value is the thread that asks.
        case all(Int32)
    }

    /// What is reported of a node that was prepared for. nil: the look must be made again. Only a look that
    /// is younger than the watch may be kept, and it may find another object there.
    private func found(
        _ node: Node, _ lookup: NameLookup, _ owner: LayerEntry, _ filesystem: FilesystemFacts,
        _ name: PathRef,
        in directory: Node, _ view: borrowing DirectoryView, _ preparation: Preparation, _ keeping: Keeping
    ) -> NameReport? {
        if case .lookAgain = preparation { return nil }
        let latest = preparation.look
        var attributes =
            latest.map { resolver.attributes($0.status, filesystem) }
            ?? resolver.attributes(of: lookup, owner, filesystem, at: name, view)
        if let data = owner.data { attributes.blocks = data.blocks }
        var found = NameReport(
            reported(lookup, node, attributes, name, in: directory, view), isFile: !node.isDirectory)
        if keeping == .nothing { found.entry.freshness = .none }
        if case .all(let thread) = keeping {
            found.entry.freshness.attributeSeconds = attributeSeconds(
                of: node, reporting: attributes, from: lookup.backings,
                begun: latest?.begun ?? lookup.begun, to: thread)
        }
        switch preparation {
        case .keptByDirectory: break
        case .passing: keepAttributesUnwatched(&found.entry)
        case .watchLater(let endings):
            found.entry.freshness.attributeSeconds = CoherencePlan.lasting
            found.deferredWatch = DeferredWatch(
                node: node, reported: attributes.fingerprint, endings: endings)
        case .lookedAt, .lookAgain: break
        }
        return found
    }

    /// After how many looks the answer isn't kept: the name changes faster than it is looked at. While
    /// reported objects are held, more looks are made.
    private var mostLooks: Int { resolver.held.isActive ? 64 : 6 }

    func reported(
        _ lookup: NameLookup, _ node: Node, _ attributes: Attributes, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) -> Entry {
        if node.isDirectory { node.state.withLock { $0.lastReported = attributes } }
        let seconds = entrySeconds(of: lookup, in: directory, view)
        return Entry(
            node: node.id, generation: Entry.generation(of: node.id), attributes: attributes,
            freshness: Freshness(entrySeconds: seconds, attributeSeconds: 0))
    }
}

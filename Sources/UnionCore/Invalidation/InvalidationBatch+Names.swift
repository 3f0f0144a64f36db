internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Puts names right: those in directories that are made of other parts than before, and all names after an
// overflow.
//
// A name that the kernel knows as an object is in the directory's table. A name that it remembers as missing
// is wrong only if it exists now, and then it is in the listing. So it is possible to go through all names
// that can be wrong.
extension InvalidationBatch {
    /// Watches the directory's parts and notes them as its makeup. It is the same directory as before, but
    /// perhaps made of other parts.
    mutating func remake(_ node: Node, _ lookup: NameLookup, _ name: PathRef, in directory: Node) {
        guard node.makeup != Makeup(of: lookup) else { return }
        var lookup = lookup
        for _ in 0..<8 {
            guard let owner = lookup.owner,
                let filesystem = reporting.stack.filesystems.find(owner.status.device),
                let view = try? resolver.view(of: directory)
            else { break }
            let isKept = node.state.withLock { $0.isCached }
            if !isKept
                && reporting.trySetMakeup(
                    Makeup(of: lookup), resolver.directoryOwner(owner, filesystem), of: node,
                    begun: lookup.begun
                )
            {
                break
            }
            reporting.watchParts(of: node, lookup, name, view)
            guard let next = look(at: name, in: directory), next.isVisible,
                resolver.continues(node, as: Makeup(of: next), at: name, in: directory)
            else { break }
            if node.makeup == Makeup(of: next) { break }
            lookup = next
        }
        remade.append(node)
        putRight.remove(node.id)
    }

    /// Puts the names right level by level: what a parent is made of may change what a directory that stays
    /// is made of. Then one that is done comes up again.
    mutating func putNamesRight() {
        putRight = []
        while !remade.isEmpty || !gone.isEmpty {
            if let node = gone.popLast() {
                forgetNames(in: node)
            } else if let node = remade.popLast(), putRight.insert(node.id).inserted {
                putNamesRight(in: node)
            }
        }
    }

    private mutating func putNamesRight(in node: Node) {
        node.outdateLooks(at: coherence.tick())
        let reported = node.reportedNames
        for alias in reported { settleName(alias.name, in: node) }
        for stray in coherence.strays.all(in: node) {
            if let alias = stray.alias, alias.parent === node { settleName(alias.name, in: node) }
        }
        if node.mayKnowAbsent, !dropAbsent(in: node, except: reported) {
            coherence.unsettled.withLock { _ = $0.insert(node.id) }
        }
        // The directory can't be watched: its names are asked for each time from now on.
        if !node.state.withLock({ $0.isCached }) {
            for alias in node.reportedNames { expire(alias.name, in: node) }
        }
        dropNode(node.id, content: false)
        staleListings.insert(node.id)
    }

    /// Takes up directories that weren't found. Such a directory may have been elsewhere for a moment. When
    /// it is back, there are events, and so a batch. Or it is made of others than is known, and so may be what it is in.
    mutating func resumeUnsettled() {
        let unsettled = coherence.unsettled.withLock { unsettled in
            defer { unsettled = [] }
            return unsettled
        }
        for node in unsettled.lazy.compactMap(table.find) {
            settleWay(to: node)
            remade.append(node)
        }
    }

    /// Looks at the names that lead to the directory, its own last.
    private mutating func settleWay(to node: Node) {
        for alias in (node.way ?? []).reversed() { settleName(alias.name, in: alias.parent) }
    }

    /// Drops names that exist, as the kernel may remember them as missing. It does no harm to drop a name by
    /// which the kernel knows nothing. False: not all parts of the directory were found.
    private func dropAbsent(in node: Node, except settled: [NodeAlias]) -> Bool {
        guard let view = try? resolver.view(of: node), let listing = try? listings.listAsServer(view) else {
            return false
        }
        dropAbsent(in: node, listing, except: Set(settled.map(\.name.hash)))
        return node.isRoot || view.isMade(of: node.makeup.backings)
    }

    /// The same for names that are in the listing. `settled`: hashes of names.
    func dropAbsent(in node: Node, _ listing: MergedListing, except settled: Set<UInt64>) {
        for item in listing.items where !item.isHidden && !settled.contains(item.hash) {
            listing.withName(of: item) { name in
                if node.reported(name) == nil { askAgain(name, in: node) }
            }
        }
    }

    /// Drops all names in a directory that isn't where the kernel knew it. A process that stands in it sees
    /// what it holds where it is now, if that is known, else nothing.
    private mutating func forgetNames(in node: Node) {
        if node.isRoot { return }
        if resolver.stands(node) { return noteStray(node) }
        gone.append(contentsOf: coherence.strays.all(in: node))
        coherence.unsettled.withLock { _ = $0.remove(node.id) }
        node.outdateLooks(at: coherence.tick())
        for alias in node.reportedNames { dropName(alias.name, in: node) }
        dropNode(node.id, content: true)
    }

    /// Has the names in such a directory dropped that was seen last by that name, if another one is there now.
    mutating func noteGoneStrays(at name: PathRef, in directory: Node, _ lookup: NameLookup?) {
        for stray in coherence.strays.all(in: directory) where stray.alias?.isAt(directory, name) == true {
            if let lookup, stray.continues(as: Makeup(of: lookup)) { continue }
            gone.append(stray)
        }
    }

    /// Notes a directory that is there, and that the kernel knows by no name.
    func noteStray(_ node: Node) {
        if node.isReportedAtItsAlias { return }
        coherence.strays.note(node) { table.find(node.id) === node }
    }

    /// Looks at everything after an overflow: nothing is known of what was watched. Parents go first, as they
    /// decide whether a directory is still the same.
    mutating func settleEverything() {
        let directories = table.directories.map { (node: $0, depth: $0.way?.count ?? .max) }
        remade.append(contentsOf: directories.sorted { $0.depth > $1.depth }.map(\.node))
        remade.append(table.root)
        putNamesRight()
        for node in table.all {
            if !node.isDirectory { endWatching(node) }
            dropNode(node.id, content: true)
        }
    }
}

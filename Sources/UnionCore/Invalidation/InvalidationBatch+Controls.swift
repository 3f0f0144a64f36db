internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Control files of cgroups, which come and go without events of their own.
extension InvalidationBatch {
    /// Has the kernel drop the attributes of a control file.
    mutating func settleControlAttributes(_ name: PathRef, in directory: NodeID) {
        guard let directory = table.find(directory) else { return }
        // A look that is older than this isn't reported any more.
        directory.outdateLooks(at: coherence.tick())
        if let file = directory.reported(name), !file.isDirectory { dropNode(file.node, content: false) }
    }

    /// Ends the keeping of a control file's attributes: nobody watches its directory any more.
    func endControlKeeping(of alias: NodeAlias) {
        guard let file = table.find(alias.node), !file.isDirectory, file.filesystem.isControlGroups else {
            return
        }
        file.state.withLock { state in
            state.isCached = false
            state.endings &+= 1
        }
        dropNode(file.id, content: false)
    }

    /// Puts names right in those cgroups in which a write in this one makes control files come and go.
    mutating func settleControls(_ id: NodeID, _ scope: ControlScope) {
        guard let node = table.find(id) else { return }
        switch scope {
        case .own: settleControls(in: node)
        case .children: for child in directories(in: node) { settleControls(in: child) }
        case .below:
            var left = [node]
            while let next = left.popLast() {
                settleControls(in: next)
                left.append(contentsOf: directories(in: next))
            }
        }
    }

    /// Puts names right in all cgroups that the kernel knows.
    mutating func settleAllControls() {
        settleControls(in: table.root)
        for node in table.directories { settleControls(in: node) }
    }

    private func directories(in node: Node) -> [Node] {
        node.reportedNames.filter(\.isDirectory).compactMap { table.find($0.node) }
    }

    /// Compares what the kernel knows in the directory with one listing of it. A control file that went and
    /// came again has another inode number.
    private mutating func settleControls(in node: Node) {
        node.outdateLooks(at: coherence.tick())
        let reported = node.reportedNames
        let isListed = node.state.withLock { $0.isListingReported }
        guard isListed || node.mayKnowAbsent || !reported.isEmpty else { return }
        guard let view = try? resolver.view(of: node),
            view.backings.contains(where: { reporting.filesystem(of: $0.directory)?.isControlGroups == true })
        else { return }
        guard let listing = try? listings.listAsServer(view) else { return remade.append(node) }
        let listed = Dictionary(
            listing.items.lazy.filter { !$0.isHidden }.map { ($0.hash, $0) },
            uniquingKeysWith: { first, _ in first })
        for alias in reported where !isKnown(alias, as: listed[alias.name.hash]) {
            settleName(alias.name, in: node)
        }
        if node.mayKnowAbsent { dropAbsent(in: node, listing, except: Set(reported.map(\.name.hash))) }
        if isListed { staleListings.insert(node.id) }
    }

    /// Whether the item is what the kernel knows by its name.
    private func isKnown(_ alias: NodeAlias, as item: MergedListing.Item?) -> Bool {
        guard let item, let node = table.find(alias.node) else { return false }
        // Directories come and go with events.
        if node.isDirectory { return item.kind == .directory }
        let numbering = reporting.layers.numbering
        return item.inode
            == numbering.number(of: node.identity.inode, filesystem: node.filesystem.index)
    }
}

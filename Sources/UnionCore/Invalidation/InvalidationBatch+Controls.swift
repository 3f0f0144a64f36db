internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Control files of cgroups, which come and go without events of their own.
extension InvalidationBatch {
    /// Puts names right in those cgroups in which a write in this one makes control files come and go.
    mutating func settleControls(_ id: NodeID, _ scope: ControlScope) {
        settleFileAttributes(scope.fileName, in: id)
        guard let node = table.find(id) else { return }
        switch scope {
        case .own: putControlsRight(in: node)
        case .children:
            for child in directories(in: node) { putControlsRight(in: child) }
        case .below:
            putControlsRight(in: node)
            for other in table.directories where isBelow(node, other) { putControlsRight(in: other) }
        }
    }

    /// The directories that were seen in this one last, whether the kernel knows them there or not.
    func directories(in node: Node) -> [Node] { table.directories.filter { $0.alias?.parent === node } }

    private func isBelow(_ node: Node, _ other: Node) -> Bool {
        WayUp(from: other).contains { $0.parent === node }
    }

    /// Puts names right in all cgroups that the kernel knows.
    mutating func settleAllControls() {
        putControlsRight(in: table.root)
        for node in table.directories { putControlsRight(in: node) }
    }

    /// Compares what the kernel knows in the directory with one listing of it. A control file that went and
    /// came again has another inode number, or is the same one. The directory's times may have changed.
    private mutating func putControlsRight(in node: Node) {
        guard node.state.withLock({ $0.isControlGroup }) else { return }
        node.outdateLooks(at: coherence.tick())
        staleListings.insert(node.id)
        let reported = node.reportedNames
        guard node.mayKnowAbsent || !reported.isEmpty else { return }
        guard let view = try? resolver.view(of: node), let listing = try? listings.listAsServer(view) else {
            return coherence.unsettled.withLock { _ = $0.insert(node.id) }
        }
        let listed = Dictionary(
            listing.items.lazy.filter { !$0.isHidden }.map { ($0.hash, $0) },
            uniquingKeysWith: { first, _ in first })
        for alias in reported where !isKnown(alias, as: listed[alias.name.hash]) {
            settleName(alias.name, in: node)
        }
        if node.mayKnowAbsent { dropAbsent(in: node, listing, except: Set(reported.map(\.name.hash))) }
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

internal import LinuxSystem
internal import SystemPackage

// Directories that aren't known to be where they were seen: the kernel knows them, or what they are in, by other names or
// by none. What the layers have at the path may be hidden there by now, by something that there is no node for. So the
// union is asked for each name on the way.
extension Resolver {
    /// Whether the kernel knows the directory by its alias, and all that it is in by theirs.
    func isKnownAllTheWay(_ node: Node) -> Bool {
        var way = WayUp(from: node)
        while let alias = way.next() {
            guard alias.isReported else { return false }
        }
        return way.node.isRoot
    }

    /// The real directories that the union shows where the directory was seen last. ENOENT: they aren't that
    /// directory's.
    func shownView(of node: Node) throws(Errno) -> DirectoryView {
        guard let way = node.way else { throw .noSuchFileOrDirectory }
        var view = DirectoryView(rootView)
        for alias in way.reversed() {
            let lookup = try dividedLookup(view, alias.name, in: alias.parent, toRemove: true)
            view = try open(lookup, alias.name, in: view)
        }
        view.noteTop()
        // Where a mark led on the way was noted when another directory may have stood there.
        let isNodes = isRedirected(node) ? view.isMade(of: node.makeup.backings) : view.shows(node)
        guard isNodes else { throw view.failure ?? .noSuchFileOrDirectory }
        return view
    }

    /// Opens what the lookup found. ENOENT: that is no directory, or it has gone.
    private func open(
        _ lookup: NameLookup, _ name: PathRef, in parent: borrowing DirectoryView
    ) throws(Errno) -> DirectoryView {
        guard lookup.owner?.isDirectory == true, lookup.obstacle == nil else { throw .noSuchFileOrDirectory }
        var view = DirectoryView()
        view.failure = lookup.failure
        for layerEntry in lookup.visible {
            do throws(Errno) {
                let directory = try openEntry(
                    layerEntry, name, in: parent, flags: [.path, .directory, .noFollow])
                view.append(layerEntry.layer, directory)
            } catch .notDirectory, .tooManySymbolicLinkLevels {
                throw .noSuchFileOrDirectory
            } catch let failure where failure.isLayerFailure {
                layerEntry.layer.note(failure: failure)
                view.failure = failure
                return view
            }
        }
        return view
    }
}

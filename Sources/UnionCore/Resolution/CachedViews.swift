internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Keeping views.
extension Resolver {
    /// The directory's cached view, if there is one that is true now.
    func cachedView(of node: Node) -> SharedView? {
        guard views.find(node.id) != nil else { return nil }
        coherence.source?.drain()
        guard let view = views.find(node.id), view.floor == node.floor, isWatched(node, along: view.links)
        else { return nil }
        return view
    }

    /// Whether an event would tell of any change of the directory and of the way to it, and whether that is
    /// the way by which it was found. A thread that looked earlier may report later where the directory was:
    /// then the directory must be looked for.
    private func isWatched(_ node: Node, along links: [ViewCache.Link]) -> Bool {
        var current = node
        var index = 1
        while current.state.withLock({ $0.isCached }) {
            if current.isRoot { return true }
            guard let alias = current.alias, index < links.count,
                links[index] == .entry(alias.parent.id, alias.name)
            else { return false }
            current = alias.parent
            index += 2
        }
        return false
    }

    /// Makes the directory's view and keeps it. nil: the view may not be kept, or isn't worth it.
    func cacheView(of node: Node) -> SharedView? {
        // The way to what a redirect leads to isn't watched whole.
        guard policies.orphans == .keep, !isRedirected(node), views.isWorthKeeping(node.id),
            let links = links(to: node),
            isWatched(node, along: links)
        else { return nil }
        let serial = views.register(node.id, links)
        // The events of all that has happened until now may have come before the registration.
        guard areBackingsAsWatched(upTo: node), let view = sharedView(of: node, links),
            isWatched(node, along: links)
        else { return nil }
        views.keep(view, serial)
        return view
    }

    private func sharedView(of node: Node, _ links: [ViewCache.Link]) -> SharedView? {
        let floor = node.floor
        guard var view = try? walkedView(of: node), view.failure == nil,
            let fingerprint = try? view.backingsFingerprint(),
            fingerprint == node.makeup.backings, isOnMountsOfLayers(view)
        else { return nil }
        view.noteMarks { layers.marks(of: "", in: $0.directory) }
        return SharedView(view, fingerprint: fingerprint, floor: floor, links: links)
    }

    /// Whether no filesystem mounted inside a layer is part of the view. Such a filesystem couldn't be
    /// unmounted while a directory of it is open.
    func isOnMountsOfLayers(_ view: borrowing DirectoryView) -> Bool {
        for backing in view.backings {
            guard let status = try? backing.directory.status(),
                status.mountID == backing.layer.rootStatus.mountID
            else { return false }
        }
        return true
    }

    private func links(to node: Node) -> [ViewCache.Link]? {
        var links: [ViewCache.Link] = []
        var current = node
        while !current.isRoot {
            guard let alias = current.alias, links.count < 128 else { return nil }
            links.append(.object(current.id))
            links.append(.entry(alias.parent.id, alias.name))
            current = alias.parent
        }
        links.append(.object(.root))
        return links
    }

    /// Whether the watches of the directories on the way are on the real directories that back these now.
    private func areBackingsAsWatched(upTo node: Node) -> Bool {
        for alias in WayUp(from: node) where !alias.parent.isRoot && views.find(alias.parent.id) == nil {
            guard let view = try? walkedView(of: alias.parent),
                view.isMade(of: alias.parent.makeup.backings)
            else { return false }
        }
        return true
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Keeping
extension Resolver {
    /// The kept view of the directory, if there is one that is true now.
    func cachedView(of node: Node) -> SharedView? {
        guard views.find(node.id) != nil else { return nil }
        coherence.source?.drain()
        guard let view = views.find(node.id), view.floor == node.floor, isWatched(node, along: view.links)
        else { return nil }
        return view
    }

    /// Whether an event would tell of any change on the way to the directory, and of itself; and whether that
    /// is the way by which it was found. Who looked before may say later where it was: then it must be sought.
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

    /// Makes the directory's view and keeps it, where that may be. nil: it may not, or isn't worth it.
    func cacheView(of node: Node) -> SharedView? {
        // The way to what a redirect leads to isn't watched whole.
        guard policies.orphans == .keep, !isRedirected(node), views.isWorthKeeping(node.id),
            let links = links(to: node),
            isWatched(node, along: links)
        else { return nil }
        let serial = views.register(node.id, links)
        // Whatever has happened until now may have been told before the registration.
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

    /// A filesystem that is mounted inside a layer couldn't be unmounted while a directory of it is open.
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

    /// The watches of the directories on the way are on what backs these now.
    private func areBackingsAsWatched(upTo node: Node) -> Bool {
        var current = node
        while let parent = current.alias?.parent, !parent.isRoot {
            if views.find(parent.id) == nil {
                guard let view = try? walkedView(of: parent),
                    let fingerprint = try? view.backingsFingerprint(),
                    fingerprint == parent.makeup.backings
                else { return false }
            }
            current = parent
        }
        return true
    }
}

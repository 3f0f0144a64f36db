internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The views of directories that were asked for again and again, kept open from one request to the next.
///
/// Only where everything on the way to the directory is watched, so that whatever changes there brings an
/// event. A view is registered before it is made, and an event that concerns it takes it away; who uses
/// one takes pending events in first. So it is never older than the request. The lock is a leaf.
final class ViewCache: Sendable {
    /// Descriptors of all kept views together.
    private static let mostDescriptors = 32
    private static let mostSlots = 8

    /// Where an event concerns the view: an entry on the way to the directory, or a directory there itself.
    struct Link: Hashable {
        let directory: NodeID
        let name: UInt64

        static func entry(_ directory: NodeID, _ name: PathRef) -> Link {
            Link(directory: directory, name: name.hash)
        }

        static func object(_ node: NodeID) -> Link { Link(directory: node, name: 0) }
    }

    private struct Slot {
        let node: NodeID
        let serial: UInt64
        let links: [Link]
        /// nil: it is being made.
        var view: SharedView?
    }

    private struct State {
        var slots: [Slot] = []
        var links: Set<Link> = []
        /// What was asked for lately: a directory that is asked for once isn't worth keeping.
        var recent: [NodeID] = []
        var serial: UInt64 = 0

        mutating func rebuildLinks() {
            links.removeAll(keepingCapacity: true)
            for slot in slots { links.formUnion(slot.links) }
        }
    }

    private let state = Mutex(State())
    private let isEmpty = Atomic<Bool>(true)

    func find(_ node: NodeID) -> SharedView? {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return nil }
        return state.withLock { state in
            for slot in state.slots where slot.node == node { return slot.view }
            return nil
        }
    }

    /// Notes that the directory was asked for. True when that is often.
    func isWorthKeeping(_ node: NodeID) -> Bool {
        state.withLock { state in
            if state.slots.contains(where: { $0.node == node }) { return false }
            if state.recent.contains(node) { return true }
            if state.recent.count >= Self.mostSlots { state.recent.removeFirst() }
            state.recent.append(node)
            return false
        }
    }

    /// From here on events count. Returns the number that `keep` takes.
    func register(_ node: NodeID, _ links: [Link]) -> UInt64 {
        state.withLock { state in
            state.slots.removeAll { $0.node == node }
            if state.slots.count >= Self.mostSlots { state.slots.removeFirst() }
            state.serial += 1
            state.slots.append(Slot(node: node, serial: state.serial, links: links, view: nil))
            state.rebuildLinks()
            isEmpty.store(false, ordering: .sequentiallyConsistent)
            return state.serial
        }
    }

    /// Keeps the view unless something has happened since it was registered.
    func keep(_ view: SharedView, _ serial: UInt64) {
        // Descriptors are closed after the lock.
        var gone: [Slot] = []
        state.withLock { state in
            guard let index = state.slots.firstIndex(where: { $0.serial == serial }) else { return }
            state.slots[index].view = view
            var count = state.slots.reduce(0) { $0 + ($1.view?.backings.count ?? 0) }
            while count > Self.mostDescriptors, !state.slots.isEmpty {
                let slot = state.slots.removeFirst()
                count -= slot.view?.backings.count ?? 0
                gone.append(slot)
            }
            if !gone.isEmpty { state.rebuildLinks() }
        }
    }

    /// Something happened to what the link names.
    func noteChange(_ link: Link) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        let concernsAll = state.withLock { state in
            if state.links.contains(link) { return true }
            for slot in state.slots where slot.node == link.directory { slot.view?.names?.add(link.name) }
            return false
        }
        if concernsAll { dropAll() }
    }

    /// The kernel has forgotten the directory.
    func forget(_ node: NodeID) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        var gone: Slot?
        state.withLock { state in
            guard let index = state.slots.firstIndex(where: { $0.node == node }) else { return }
            gone = state.slots.remove(at: index)
        }
        _ = gone
    }

    func dropAll() {
        var gone: [Slot] = []
        state.withLock { state in
            swap(&gone, &state.slots)
            state.links.removeAll(keepingCapacity: true)
            isEmpty.store(true, ordering: .sequentiallyConsistent)
        }
    }
}

/// The open directories of a view that requests share.
final class SharedView: Sendable {
    let backings: [Backing]
    /// `DirectoryView.backingsFingerprint` when they were opened.
    let fingerprint: UInt64
    /// The node's floor then.
    let floor: Int
    /// The way by which the directory was found, itself first.
    let links: [ViewCache.Link]
    /// nil: each directory is asked.
    let names: NameFilter?

    init(_ view: consuming DirectoryView, fingerprint: UInt64, floor: Int, links: [ViewCache.Link]) {
        backings = view.release()
        self.fingerprint = fingerprint
        self.floor = floor
        self.links = links
        names = backings.count >= NameFilter.fewestDirectories ? NameFilter() : nil
    }

    /// Of all layers' roots.
    init(ofRootsOf stack: LayerStack) {
        var view = DirectoryView()
        for layer in stack.layers { view.appendRoot(of: layer) }
        backings = view.release()
        fingerprint = 0
        floor = stack.count - 1
        links = []
        names = nil
    }

    deinit {
        for backing in backings where !backing.isRoot { _ = OwnedDescriptor(owning: backing.directory) }
    }
}

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
        guard var view = try? walkedView(of: node), view.failure == nil, let fingerprint = try? view.backingsFingerprint(),
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
                guard let view = try? walkedView(of: parent), let fingerprint = try? view.backingsFingerprint(),
                    fingerprint == parent.makeup.backings
                else { return false }
            }
            current = parent
        }
        return true
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The views of directories that were asked for again and again, kept open from one request to the next.
///
/// A view is cached only if everything on the way to the directory is watched, so that whatever changes there
/// brings an event. A view is registered before it is made, and an event that concerns it takes it away. A
/// request takes pending events in before it uses a view, so the view is never older than the request. The
/// lock is a leaf.
final class ViewCache: Sendable {
    /// The most descriptors of all cached views together.
    private static let mostDescriptors = 32
    private static let mostSlots = 8

    /// What an event must name to concern the view: an entry on the way to the directory, or a directory
    /// there itself.
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
        /// The directories that were asked for lately. One that is asked for once isn't worth caching.
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

    /// Notes that the directory was asked for. True if it is asked for often.
    func isWorthKeeping(_ node: NodeID) -> Bool {
        state.withLock { state in
            if state.slots.contains(where: { $0.node == node }) { return false }
            if state.recent.contains(node) { return true }
            if state.recent.count >= Self.mostSlots { state.recent.removeFirst() }
            state.recent.append(node)
            return false
        }
    }

    /// Registers a view that is about to be made: from here on events count. Returns the serial that `keep`
    /// takes.
    func register(_ node: NodeID, _ links: [Link]) -> UInt64 {
        state.withLock { state in
            state.slots.removeAll { slot in
                if slot.node == node { slot.view?.end() }
                return slot.node == node
            }
            if state.slots.count >= Self.mostSlots { state.slots.removeFirst().view?.end() }
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
            guard let index = state.slots.firstIndex(where: { $0.serial == serial }) else {
                return view.end()
            }
            state.slots[index].view = view
            var count = state.slots.reduce(0) { $0 + ($1.view?.backings.count ?? 0) }
            while count > Self.mostDescriptors, !state.slots.isEmpty {
                let slot = state.slots.removeFirst()
                slot.view?.end()
                count -= slot.view?.backings.count ?? 0
                gone.append(slot)
            }
            if !gone.isEmpty { state.rebuildLinks() }
        }
    }

    /// Takes away the views that a change of what the link names concerns. `layer`: the layer whose directory
    /// has changed; nil: perhaps each.
    func noteChange(_ link: Link, in layer: Int? = nil) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        let concernsAll = state.withLock { state in
            if state.links.contains(link) { return true }
            for slot in state.slots where slot.node == link.directory {
                slot.view?.noteName(link.name, in: layer)
            }
            return false
        }
        if concernsAll { dropAll() }
    }

    /// Takes away the view of a directory that the kernel has forgotten.
    func forget(_ node: NodeID) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        var gone: Slot?
        state.withLock { state in
            guard let index = state.slots.firstIndex(where: { $0.node == node }) else { return }
            gone = state.slots.remove(at: index)
            gone?.view?.end()
        }
        _ = gone
    }

    func dropAll() {
        var gone: [Slot] = []
        state.withLock { state in
            swap(&gone, &state.slots)
            for slot in gone { slot.view?.end() }
            state.links.removeAll(keepingCapacity: true)
            isEmpty.store(true, ordering: .sequentiallyConsistent)
        }
    }
}

/// The open directories of a view that requests share.
final class SharedView: Sendable {
    let backings: [Backing]
    /// `DirectoryView.backingsFingerprint` when the directories were opened.
    let fingerprint: UInt64
    /// The node's floor when the directories were opened.
    let floor: Int
    /// The way by which the directory was found, the directory itself first.
    let links: [ViewCache.Link]
    /// The filter of their names. nil: each directory is asked.
    let names: NameFilter?
    private let hasEnded = Atomic<Bool>(false)

    init(_ view: consuming DirectoryView, fingerprint: UInt64, floor: Int, links: [ViewCache.Link]) {
        backings = view.release()
        self.fingerprint = fingerprint
        self.floor = floor
        self.links = links
        names = NameFilter(of: backings.count)
    }

    /// The view of all layers' roots.
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

    /// Whether names in events still come to the filter.
    var isCurrent: Bool { !hasEnded.load(ordering: .sequentiallyConsistent) }

    /// Notes that the view isn't cached any more. Requests that have it go on with it.
    func end() { hasEnded.store(true, ordering: .sequentiallyConsistent) }

    /// Whether the layer's directory is on a pseudo filesystem. Each is on its layer's own mount. nil: the layer
    /// has none here.
    func isPseudo(in layer: Layer) -> Bool? {
        backings.contains { $0.layer === layer } ? layer.filesystem.isPseudo : nil
    }

    /// Notes that the layer's directory may have got a name of that hash.
    func noteName(_ hash: UInt64, in layer: Int?) {
        names?.add(hash, at: backings.firstIndex { $0.layer.index == layer })
    }
}

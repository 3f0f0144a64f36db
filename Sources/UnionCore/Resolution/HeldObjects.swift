internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Real objects that are held open for a moment after they were reported, while strangers replace names
/// faster than callers walk.
///
/// A caller that has looked a name up comes next by the node. If another object stands at the name by then,
/// ESTALE has the kernel walk the path once more. A second ESTALE would reach the caller, though its path was
/// there all the time. So from the first ESTALE on, for a second, what is looked up is held: a caller that
/// has looked a name up reaches just that object, as on any local filesystem.
///
/// An object is given to callers only for as long as a walk takes on a busy machine, and not after `sync`: a
/// caller that stays in a directory that has gone finds nothing there. A thread of its own closes what is
/// held. The lock is a leaf.
final class HeldObjects: Sendable {
    private static let most = 128
    private static let milliseconds = 1000
    /// How long an object is given to callers, in nanoseconds from the look.
    private static let walk: UInt64 = 250_000_000

    final class Held: Sendable {
        let layers: [Layer]
        let descriptors: [FileDescriptor]
        private let heldAt = monotonicNanoseconds()

        var isOfThisWalk: Bool { monotonicNanoseconds() - heldAt < HeldObjects.walk }

        /// Takes the descriptors over.
        init(_ layers: [Layer], _ descriptors: [FileDescriptor]) {
            self.layers = layers
            self.descriptors = descriptors
        }

        deinit { for descriptor in descriptors { _ = OwnedDescriptor(owning: descriptor) } }
    }

    private struct State {
        var held: [NodeID: Held] = [:]
        /// The oldest look first.
        var order: [NodeID] = []
        /// A request was answered with ESTALE since the last tick.
        var isRenewed = false
        var hasThread = false
    }

    private let state = Mutex(State())
    private let isActiveFlag = Atomic<Bool>(false)

    /// Whether to hold what is reported now.
    var isActive: Bool { isActiveFlag.load(ordering: .relaxed) }

    /// Begins to hold, or goes on for another second: a request is about to be answered with ESTALE.
    func begin() {
        let isFirst = state.withLock { state in
            state.isRenewed = true
            isActiveFlag.store(true, ordering: .sequentiallyConsistent)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard isFirst else { return }
        do {
            let thread = try WorkerThread.spawn(name: "switchfs-held", stackSize: 256 * 1024) { [self] in
                repeat { pause(milliseconds: Self.milliseconds) } while tick()
            }
            thread.detach()
        } catch {
            state.withLock { state in
                state.hasThread = false
                isActiveFlag.store(false, ordering: .sequentiallyConsistent)
            }
        }
    }

    func hold(_ node: NodeID, _ object: Held) {
        var gone: [Held?] = []
        state.withLock { state in
            guard isActive else { return }
            gone.append(state.held.updateValue(object, forKey: node))
            if gone[0] != nil { state.order.removeAll { $0 == node } }
            state.order.append(node)
            guard state.order.count > Self.most else { return }
            gone.append(state.held.removeValue(forKey: state.order.removeFirst()))
        }
        withExtendedLifetime(gone) {}
    }

    /// The object held for the node. Asked only where a look by the node's alias has failed.
    func find(_ node: NodeID) -> Held? {
        guard let found = state.withLock({ $0.held[node] }), found.isOfThisWalk else { return nil }
        return found
    }

    /// Closes all that is held. What is reported from here on was looked at after this call.
    func letGo() {
        var gone: [NodeID: Held] = [:]
        state.withLock { state in
            swap(&gone, &state.held)
            state.order = []
        }
        withExtendedLifetime(gone) {}
    }

    /// Closes what no walk needs any more. False: nothing is held, nor to be held.
    private func tick() -> Bool {
        var gone: [Held?] = []
        let goesOn = state.withLock { state in
            while let oldest = state.order.first, state.held[oldest]?.isOfThisWalk != true {
                gone.append(state.held.removeValue(forKey: oldest))
                state.order.removeFirst()
            }
            if !state.isRenewed { isActiveFlag.store(false, ordering: .sequentiallyConsistent) }
            defer { state.isRenewed = false }
            state.hasThread = state.isRenewed || !state.held.isEmpty
            return state.hasThread
        }
        withExtendedLifetime(gone) {}
        return goesOn
    }
}

extension Resolver {
    /// Holds what was just reported, if holding is on. False: something else stands there by now.
    func hold(_ node: Node, _ lookup: NameLookup, _ name: PathRef, _ view: borrowing DirectoryView) -> Bool {
        guard held.isActive else { return true }
        let layerEntries = node.isDirectory ? lookup.visible : lookup.visible.prefix(1)
        var layers: [Layer] = []
        var descriptors: [FileDescriptor] = []
        for layerEntry in layerEntries {
            guard let object = try? openEntry(layerEntry, name, in: view, flags: [.path, .noFollow]),
                let status = try? object.descriptor.status(), identity(of: layerEntry).matches(status)
            else {
                _ = HeldObjects.Held(layers, descriptors)
                return false
            }
            layers.append(layerEntry.layer)
            descriptors.append(object.release())
        }
        held.hold(node.id, HeldObjects.Held(layers, descriptors))
        return true
    }

    /// The real directories that backed the node when it was reported a moment ago.
    func heldView(of node: Node) -> DirectoryView? {
        guard !node.isDead, let held = held.find(node.id) else { return nil }
        var view = DirectoryView()
        view.isHeld = true
        for (layer, descriptor) in zip(held.layers, held.descriptors) {
            guard let copy = try? descriptor.duplicated() else { return nil }
            view.append(layer, copy)
        }
        return view
    }

    /// The real file that the node was when it was reported a moment ago.
    func heldObject(of node: Node) throws(Errno) -> LocatedObject? {
        guard let held = held.find(node.id), let layer = held.layers.first,
            let copy = try held.descriptors.first?.duplicated()
        else { return nil }
        return try LocatedObject(layer: layer, open: copy)
    }
}

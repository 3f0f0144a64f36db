internal import Glibc
internal import LinuxSystem
internal import Synchronization
public import SystemPackage

// What changed underneath, turned into what the kernel must drop. All of this runs on the one thread that
// tells the kernel.

extension Union {
    /// Starts to watch, before the kernel is told anything. Does nothing where nothing may be kept.
    public func startCoherence(_ kernel: any KernelCache) throws(Errno) {
        guard coherence.plan.isLasting else { return }
        watchRoots()
        let thread = try WorkerThread.spawn(name: "switchfs-notify") { [self] in
            while let batch = coherence.invalidator.take() {
                settle(batch, kernel)
                coherence.invalidator.finish()
            }
        }
        coherence.thread.withLock { $0 = thread }
    }

    /// When this returns, the kernel is told no more.
    public func stopCoherence() {
        coherence.invalidator.stop()
        coherence.thread.withLock { $0.take() }?.join()
    }

    /// Who takes the events in.
    public var changeSink: any ChangeSink { coherence.invalidator }

    /// Returns when every change made underneath before the call shows in the union: the events that the
    /// kernel has queued are taken in, and what they concern is dropped.
    public func synchronizeChanges() {
        guard coherence.plan.isLasting else { return }
        coherence.source?.drain()
        coherence.invalidator.waitForAll()
    }

    private func watchRoots() {
        var isWatched = true
        for layer in stack.layers where coherence.plan.choices[layer.index].mode == .watch {
            let root = layer.root.descriptor
            let hasWatch =
                coherence.source?.watch(root, for: .root, layer: layer.index, isDirectory: true) ?? false
            isWatched = isWatched && hasWatch
        }
        if !isWatched { coherence.degraded.add(1, ordering: .relaxed) }
        let mark = (try? rootView().layersMark()) ?? 0
        table.root.state.withLock { state in
            state.isCached = isWatched
            state.layersTold = mark
        }
    }

    private func settle(_ batch: [Invalidation], _ kernel: any KernelCache) {
        // Listings last, once a directory: one read between two of its changes would be kept half true.
        var listings: Set<NodeID> = []
        for item in batch {
            switch item {
            case .entry(let directory, let name): settle(directory, name, kernel, &listings)
            case .object(let node): settleObject(node, kernel)
            case .gone(let node): drop(node, content: true, kernel)
            case .name(let directory, let name):
                drop(directory, name, kernel)
                listings.insert(directory)
            case .attributes(let node): drop(node, content: false, kernel)
            case .listing(let directory):
                // The listing may be on its way to the kernel, which holds the directory's lock meanwhile.
                try? kernel.dropEntry(directory, impossibleName)
                listings.insert(directory)
            case .everything: dropEverything(kernel)
            }
        }
        for directory in listings { drop(directory, content: true, kernel) }
    }

    /// A name came, went or moved in a watched directory.
    private func settle(
        _ id: NodeID, _ bytes: [UInt8], _ kernel: any KernelCache, _ listings: inout Set<NodeID>
    ) {
        guard let directory = table.find(id) else { return }
        let name = OwnedName(bytes)
        let key = OwnChanges.Key(id, name.ref)
        waitForOwnChange(key)
        let note = coherence.own.note(key)
        let now = current(name.ref, in: directory)
        if let note, let now, note == now {
            // Somebody else may have been at it since, and left it as it was: then the directory's times moved.
            if directory.state.withLock({ $0.attributesTold }) != 0 { settleObject(id, kernel) }
            return
        }
        // Also where the union shows a node that was told by that name once: the kernel may have been told
        // another one since.
        drop(id, bytes, kernel)
        if case .present(let node)? = now {
            drop(node, content: false, kernel)
        } else {
            dropEmptied(directory) { parent, name in drop(parent, unsafe Array(name.bytes), kernel) }
        }
        listings.insert(id)
    }

    /// A change of ours that is under way ends soon; then its event says nothing new.
    private func waitForOwnChange(_ key: OwnChanges.Key) {
        for _ in 0..<1000 {
            guard case .pending = coherence.own.note(key) else { return }
            usleep(20)
        }
    }

    /// What the union shows under the name, where it is what the kernel was told: absent, or the node that it
    /// knows. nil: anything else.
    private func current(_ name: PathRef, in directory: Node) -> OwnChanges.Note? {
        guard let view = try? view(of: directory), let survey = try? survey(view, name, in: directory)
        else { return nil }
        guard let owner = survey.owner else { return .absent }
        guard let node = knownNode(of: owner, companions(of: survey), name, in: directory),
            node.kind == owner.status.kind,
            node.isDirectory
                ? node.place?.isAt(directory, name) == true
                : node.places.contains(where: { $0.isAt(directory, name) }),
            !node.isDirectory || node.state.withLock({ $0.layersTold }) == survey.layersMark
        else { return nil }
        return .present(node.id)
    }

    /// An object's own attributes or content changed; not so, if they are what the kernel was told.
    private func settleObject(_ id: NodeID, _ kernel: any KernelCache) {
        guard let node = table.find(id) else { return }
        if let now = try? attributes(of: node, handle: nil),
            node.state.withLock({ $0.attributesTold }) == now.mark
        {
            return
        }
        drop(id, content: false, kernel)
        // A mark that was set on a directory, or taken away, changes what backs it.
        guard node.isDirectory, let place = node.place,
            current(place.name.ref, in: place.parent) != .present(id)
        else { return }
        drop(place.parent.id, Array(place.name.ref), kernel)
    }

    private func drop(_ directory: NodeID, _ name: [UInt8], _ kernel: any KernelCache) {
        let name = OwnedName(name)
        coherence.invalidator.sent.add(1, ordering: .relaxed)
        try? kernel.dropEntry(directory, name.ref)
    }

    /// The kernel may be about to take in a node for the first time, from a reply older than the change: then
    /// it has nothing to drop yet. Taking and leaving the lock of each directory that told the node waits for
    /// such a reply; after that it can be dropped.
    private func drop(_ id: NodeID, content: Bool, _ kernel: any KernelCache) {
        coherence.invalidator.sent.add(1, ordering: .relaxed)
        do throws(Errno) {
            try kernel.dropNode(id, content: content)
        } catch {
            guard error == .noSuchFileOrDirectory, let node = table.find(id) else { return }
            for place in node.places { try? kernel.dropEntry(place.parent.id, impossibleName) }
            try? kernel.dropNode(id, content: content)
        }
    }

    /// After an overflow nothing is known of what was watched.
    private func dropEverything(_ kernel: any KernelCache) {
        try? kernel.dropAllNames()
        for node in table.all {
            for place in node.places { drop(place.parent.id, Array(place.name.ref), kernel) }
            drop(node.id, content: true, kernel)
        }
        drop(.root, content: true, kernel)
    }
}

/// A name that no client can have asked for: dropping it drops nothing.
private var impossibleName: PathRef { "\u{1}switchfs-barrier" }

extension Array where Element == UInt8 {
    fileprivate init(_ name: PathRef) { self = unsafe Array(name.bytes) }
}

internal import Glibc
internal import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// Starts to watch, before the kernel is told anything. If nothing may be kept, only takes `kernel`.
    /// Throws the error of starting a thread.
    public func startCoherence(_ kernel: any KernelCache) throws(Errno) {
        coherence.kernel.withLock { $0 = kernel }
        guard coherence.plan.isLasting else { return }
        watchRoots()
        let thread = try WorkerThread.spawn(name: "switchfs-notify") { [self] in
            WorkerThread.runsShortly()
            while let batch = coherence.invalidations.take() {
                let sent = coherence.invalidations.sent.load(ordering: .relaxed)
                InvalidationBatch.settle(batch, reporting, listings, kernel)
                let hasReported = coherence.invalidations.sent.load(ordering: .relaxed) != sent
                coherence.invalidations.endBatch(hasReported: hasReported)
                if !hasReported { usleep(coherence.invalidations.delay) }
            }
        }
        coherence.thread.withLock { $0 = thread }
        coherence.filesToSettle.start()
        let settler = try WorkerThread.spawn(name: "switchfs-settle", stackSize: 256 * 1024) { [self] in
            let directory = try? OwnWorkingDirectory()
            while coherence.filesToSettle.wait() { reporting.settleFiles(from: directory) }
        }
        coherence.settler.withLock { $0 = settler }
    }

    /// Stops telling the kernel. When this returns, the kernel is told no more.
    public func stopCoherence() {
        coherence.kernel.withLock { $0 = nil }
        coherence.filesToSettle.stop()
        coherence.settler.withLock { $0.take() }?.join()
        coherence.invalidations.stop()
        coherence.thread.withLock { $0.take() }?.join()
    }

    /// The sink that takes the events in.
    public var changeSink: any ChangeSink { coherence.invalidations }

    /// Returns when every change made underneath before the call shows in the union. The events that the
    /// kernel has queued are taken in, and the kernel drops what they concern.
    public func synchronizeChanges() {
        resolver.held.letGo()
        guard coherence.plan.isLasting else { return }
        coherence.deferredWatches.waitForAll()
        coherence.source?.drain()
        coherence.source?.checkControllers()
        reporting.settleFiles(from: nil)
        // Another thread may just be settling some.
        coherence.deferredWatches.waitForAll()
        for node in coherence.unwatchedAttributes.take() {
            coherence.invalidations.append(.unwatchedAttributes(node))
        }
        coherence.invalidations.waitForAll()
        settleUnsettled()
    }

    /// What couldn't be put right waits for the next batch, which may be long in coming. A batch takes up all of
    /// it, whatever it is for, and may leave some: then there is another one, as long as that changes anything. Where
    /// others go on to change the layers there is no end to that.
    private func settleUnsettled() {
        var before: Set<NodeID> = []
        for _ in 0..<16 {
            let left = coherence.unsettled.withLock { $0 }
            guard let node = left.first, left != before else { return }
            before = left
            coherence.invalidations.append(.names(node))
            coherence.invalidations.waitForAll()
        }
    }

    private func watchRoots() {
        var isWatched = true
        for layer in stack.layers where coherence.plan.choices[layer.index].mode == .watch {
            let root = layer.root.descriptor
            let hasWatch =
                coherence.source?.watch(
                    root, for: .root, layer: layer.index, as: .init(directoryOn: layer.filesystem)) ?? false
            isWatched = isWatched && hasWatch
        }
        if !isWatched { coherence.degraded.add(1, ordering: .relaxed) }
        let hasControlGroup = stack.layers.contains { $0.filesystem.isControlGroups }
        table.root.state.withLock { state in
            state.isCached = isWatched
            state.isControlGroup = hasControlGroup
        }
    }
}

internal import LinuxSystem
internal import Synchronization

/// One change to look into, or to have the kernel drop.
enum Invalidation: Hashable, Sendable {
    /// A watched directory's entry came, went or moved.
    case entry(NodeID, [UInt8])
    /// A name by which the kernel knows something, and nobody knows what.
    case unknown(NodeID, [UInt8])
    /// A watched object's attributes or content changed.
    case object(NodeID)
    /// A watched object has gone from where it was.
    case gone(NodeID)
    /// The names in a directory that is made of other parts than before.
    case names(NodeID)
    /// The attributes of a file changed that is kept by its directory's watch.
    case fileAttributes(NodeID, [UInt8])
    /// A directory is watched for writes to its files, and none is kept by that any more.
    case filesUnkept(NodeID)
    /// Control files have come or gone by a write in the cgroup.
    case controls(NodeID, ControlScope)
    /// Control files may have come or gone in any cgroup.
    case allControls
    /// A directory whose watch was given back.
    case givenBack(NodeID)
    /// Attributes that may no longer be kept.
    case attributes(NodeID)
    /// Attributes of a file (`UnwatchedAttributes`) that the kernel may be about to take in.
    case unwatchedAttributes(NodeID)
    /// The listing of a directory of which nothing may be kept.
    case listing(NodeID)
    /// The kernel's queue overflowed: look at everything.
    case everything
    /// The table of mounts changed: look at everything, if the change is inside a layer.
    case mounts
}

/// The queue of changes, for the notify thread.
///
/// Workers and the watcher only append, and never wait for that thread: it may wait for them, and for locks
/// of the kernel that they hold. (A worker waits that is asked to, by `sync`; one that has written to a
/// control file waits for a moment.) A change that is queued already isn't queued again. The lock is a leaf.
final class InvalidationQueue: Sendable {
    private struct Queue {
        var pending: [Invalidation] = []
        var queued: Set<Invalidation> = []
        /// The numbers of the last batch that was taken, and of the last that is through.
        var taken: UInt64 = 0
        var done: UInt64 = 0
        var waiting: [(batch: UInt64, semaphore: Semaphore)] = []
        var isStopped = false
    }

    private let views: ViewCache
    private let listings: any KeptListings
    private let continuity: Continuity
    private let table: InodeTable
    private let queue = Mutex(Queue())
    private let work = Semaphore()
    /// How many notifications were sent to the kernel.
    let sent = Atomic<UInt64>(0)
    private let batching = BatchingDelay()

    init(
        _ views: ViewCache, _ listings: any KeptListings, _ continuity: Continuity, _ table: InodeTable
    ) {
        self.views = views
        self.listings = listings
        self.continuity = continuity
        self.table = table
    }

    func append(_ item: Invalidation) {
        let isFirst = queue.withLock { queue in
            guard queue.queued.insert(item).inserted else { return false }
            queue.pending.append(item)
            return queue.pending.count == 1
        }
        if isFirst { work.raise() }
    }

    /// Queues another look at the name.
    func appendName(_ directory: NodeID, _ name: PathRef) {
        append(.entry(directory, name.array))
    }

    var isStopped: Bool { queue.withLock { $0.isStopped } }

    /// Waits until something is queued, and returns all of it. nil: the queue has stopped.
    func take() -> [Invalidation]? {
        while true {
            work.wait()
            let batch: [Invalidation]? = queue.withLock { queue in
                if queue.isStopped { return nil }
                let batch = queue.pending
                queue.pending = []
                queue.queued.removeAll(keepingCapacity: true)
                if !batch.isEmpty { queue.taken += 1 }
                return batch
            }
            guard let batch else { return nil }
            if !batch.isEmpty { return batch }
        }
    }

    /// Ends the batch that was taken last. `hasReported`: the kernel was told something.
    func endBatch(hasReported: Bool) {
        batching.note(hasReported: hasReported)
        let woken = queue.withLock { queue in
            queue.done = queue.taken
            let done = queue.done
            let woken = queue.waiting.filter { $0.batch <= done }
            queue.waiting.removeAll { $0.batch <= done }
            return woken.map(\.semaphore)
        }
        for semaphore in woken { semaphore.raise() }
    }

    /// Returns when everything that was queued before the call is through; with `milliseconds`, at the latest
    /// after so many.
    func waitForAll(atMost milliseconds: UInt32? = nil) {
        let semaphore: Semaphore? = queue.withLock { queue in
            let last = queue.pending.isEmpty ? queue.taken : queue.taken + 1
            guard last > queue.done, !queue.isStopped else { return nil }
            let semaphore = Semaphore()
            queue.waiting.append((last, semaphore))
            return semaphore
        }
        if let milliseconds { semaphore?.wait(atMost: milliseconds) } else { semaphore?.wait() }
    }

    func stop() {
        let waiting = queue.withLock { queue in
            queue.isStopped = true
            defer { queue.waiting = [] }
            return queue.waiting.map(\.semaphore)
        }
        for semaphore in waiting { semaphore.raise() }
        work.raise()
    }
}

extension InvalidationQueue: ChangeSink {
    func changed(_ event: ChangeEvent) {
        switch event.kind {
        case .entry, .directoryCame, .directoryWent:
            noteAtOnce(event)
            appendName(event.node, event.name)
        case .object:
            noteAtOnce(event)
            append(.object(event.node))
        case .gone:
            noteAtOnce(event)
            append(.gone(event.node))
        case .fileAttributes, .fileContent: fileChanged(event)
        }
    }

    /// Takes in that a file in a watched directory changed. Files are written all the time, and of most
    /// nothing is kept by their directory.
    private func fileChanged(_ event: ChangeEvent) {
        guard let directory = table.find(event.node) else { return }
        if directory.state.withLock({ $0.isControlGroup }) { return controlFileChanged(event) }
        // In this order: a look is either seen under way, or its file is found.
        let isLookedAt = directory.activity?.hasLookups == true
        if isLookedAt || table.isKept(event.name, byWatchOf: directory) {
            append(.fileAttributes(event.node, event.name.array))
        }
        if event.kind == .fileContent, !directory.mayKeepFiles { append(.filesUnkept(event.node)) }
    }

    private func controlFileChanged(_ event: ChangeEvent) {
        if event.kind == .fileContent, let scope = ControlScope(writtenTo: event.name) {
            return controlsChanged(in: event.node, scope)
        }
        append(.fileAttributes(event.node, event.name.array))
    }

    /// What must know before the thread that tells the kernel comes to it: a cached view may be asked for next.
    private func noteAtOnce(_ event: ChangeEvent) {
        listings.drop(event.node)
        views.noteChange(
            event.kind.isOfEntry ? .entry(event.node, event.name) : .object(event.node), in: event.layer)
        continuity.note(event)
    }

    /// Takes in that control files have come or gone by a write in the cgroup. Views know what names there
    /// are; which of them it concerns isn't known here.
    func controlsChanged(in directory: NodeID, _ scope: ControlScope) {
        dropKept()
        append(.controls(directory, scope))
    }

    func overflowed() {
        dropKept()
        continuity.forgetAll()
        append(.everything)
    }

    func mountsChanged() {
        dropKept()
        append(.mounts)
    }

    func controllersChanged() {
        dropKept()
        append(.allControls)
    }

    /// Drops all that the server keeps for itself.
    private func dropKept() {
        views.dropAll()
        listings.dropAll()
    }

    var delay: UInt32 { batching.microseconds }
}

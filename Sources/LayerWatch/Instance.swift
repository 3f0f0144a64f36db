internal import LinuxSystem
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// An inotify instance with its table and its reader: what all threads share.
///
/// Lock order: `reader`, then `table`. The sink is called with `reader` alone held, so that changes keep
/// their order while watches come and go.
final class Instance: Sendable {
    /// Readable when there are events. `reader` owns it.
    let descriptor: FileDescriptor
    private let reader: Mutex<EventReader>
    private let table: Mutex<WatchTable>
    private let events = Atomic<UInt64>(0)
    private let overflows = Atomic<UInt64>(0)
    private let refusals = Atomic<UInt64>(0)
    private let budget = WatchBudget()
    let controllers = Controllers()
    /// How often a thread has begun to take events in.
    private let begun = Atomic<UInt64>(0)

    init() throws(Errno) {
        let inotify = try Inotify()
        descriptor = inotify.descriptor
        table = Mutex(WatchTable(inotify.watches))
        reader = Mutex(EventReader(inotify))
    }

    var watchCount: Int { table.withLock { $0.count } }
    var eventCount: UInt64 { events.load(ordering: .relaxed) }
    var overflowCount: UInt64 { overflows.load(ordering: .relaxed) }
    var refusalCount: UInt64 { refusals.load(ordering: .relaxed) }

    /// Sets the sink that gets events from now on. Without a sink they stay where they are.
    func setSink(_ sink: (any ChangeSink)?) {
        reader.withLock { $0.sink = sink }
    }

    func add(_ object: FileDescriptor, mask: InotifyMask, owner: Owner) -> Bool {
        do throws(Errno) {
            try table.withLock { table throws(Errno) in try table.add(object, mask: mask, owner: owner) }
            return true
        } catch {
            refusals.add(1, ordering: .relaxed)
            if error == .noSpace { budget.noteRefusal(at: watchCount) }
            return false
        }
    }

    /// The same for a file in the working directory. False says nothing of how many watches can be had: the file may have
    /// gone, or have one.
    func addFile(named name: PathRef, owner: Owner) -> Bool {
        (try? table.withLock { table throws(Errno) in try table.addFile(named: name, owner: owner) }) != nil
    }

    /// Has a directory that is watched no more watched for what happens to its files, if this owner alone
    /// has the watch.
    func narrow(_ directory: FileDescriptor, owner: Owner) {
        table.withLock { $0.narrow(directory, to: .onlyDirectoryChanges, owner: owner) }
    }

    /// Whether no more watches must be asked for: the rest is for other programs.
    var isFull: Bool { budget.isReached(by: watchCount) }

    func nextOldest() -> NodeID? { table.withLock { $0.nextOldest()?.node } }

    func remove(_ node: NodeID) {
        table.withLock { $0.remove(node) }
    }

    /// For how long the next events may be left where they are, in microseconds.
    var delay: UInt32 { reader.withLock { $0.sink?.delay ?? 0 } }

    /// Returns when all that had happened before the call is handed on. Many threads may ask at once, and
    /// events may come without end. So it is enough if another thread has begun to take events in after the
    /// call.
    func drain() {
        let before = begun.load(ordering: .sequentiallyConsistent)
        let haveMountsChanged = reader.withLock { reader in
            guard begun.load(ordering: .sequentiallyConsistent) == before, let sink = reader.sink else {
                return false
            }
            begun.add(1, ordering: .sequentiallyConsistent)
            let waiting = reader.look()
            if waiting.mountChanges { sink.mountsChanged() }
            guard waiting.events else { return waiting.mountChanges }
            while let reading = reader.next() { take(reading, sink) }
            return waiting.mountChanges
        }
        // A mount may bind a controller to another hierarchy.
        if haveMountsChanged { checkControllers() }
    }

    /// Tells the sink if control files may have come or gone without an event.
    func checkControllers() {
        guard let now = controllers.look() else { return }
        // The next caller finds that the sink was told.
        reader.withLock { reader in
            if let sink = reader.sink, controllers.note(now) { sink.controllersChanged() }
        }
    }

    private func take(_ reading: Reading, _ sink: any ChangeSink) {
        switch reading {
        case .change(let watch, let kind, let name): hand(watch, kind, name, sink)
        case .ended(let watch): table.withLock { $0.forget(watch) }
        case .overflow:
            overflows.add(1, ordering: .relaxed)
            sink.overflowed()
        }
    }

    private func hand(
        _ watch: Int32, _ kind: ChangeEvent.Kind, _ name: PathRef, _ sink: any ChangeSink
    ) {
        guard let owners = table.withLock({ $0.owners(of: watch) }) else { return }
        events.add(1, ordering: .relaxed)
        sink.changed(ChangeEvent(owners.first, kind, name))
        for owner in owners.others { sink.changed(ChangeEvent(owner, kind, name)) }
    }
}

extension ChangeEvent {
    fileprivate init(_ owner: Owner, _ kind: Kind, _ name: PathRef) {
        self.init(node: owner.node, layer: owner.layer, kind: kind, name: name)
    }
}

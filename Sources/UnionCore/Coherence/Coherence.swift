internal import LinuxSystem
internal import Synchronization

/// All that keeps true what the kernel was told.
final class Coherence: Sendable {
    let plan: CoherencePlan
    /// nil: no layer is watched.
    let source: (any ChangeSource)?
    let own = OwnChanges()
    let views = ViewCache()
    let keptListings: any KeptListings
    let unwatchedAttributes = UnwatchedAttributes()
    /// Held while a directory's watch comes to tell of writes to its files, or ceases to. Before the nodes' and
    /// the source's locks.
    let filesWatches = Mutex(())
    let deferredWatches = DeferredWatches()
    let filesToSettle = FilesToSettle()
    let continuity: Continuity
    let invalidations: InvalidationQueue
    /// The notify thread, while it runs.
    let thread = Mutex<WorkerThread?>(nil)
    /// The thread that settles files, while it runs.
    let settler = Mutex<WorkerThread?>(nil)
    /// The kernel's side of what is kept, once the union is served.
    let kernel = Mutex<(any KernelCache)?>(nil)
    private let clock = CoherenceClock()
    /// Directories whose names couldn't be put right, as the directories weren't found: the next batch tries
    /// again.
    let unsettled = Mutex<Set<NodeID>>([])
    let strays = Strays()
    /// How many directories couldn't get their watch.
    let degraded = Atomic<Int>(0)
    /// How many watches were given back so that others could be had.
    let givenBack = Atomic<UInt64>(0)
    /// Whether a look has gone through a mount point inside a layer.
    let hasMountsInside = Atomic<Bool>(false)

    /// Notes of the union's own changes. nil: they are never asked for.
    var noting: OwnChanges? { plan.isLasting ? own : nil }

    init(
        _ plan: CoherencePlan, source: (any ChangeSource)?, _ table: InodeTable, _ listings: any KeptListings
    ) {
        self.plan = plan
        self.keptListings = listings
        continuity = Continuity(of: table, clock)
        invalidations = InvalidationQueue(views, listings, continuity, table)
        self.source = plan.choices.contains { $0.mode == .watch } ? source : nil
    }

    var now: UInt64 { clock.now }
    func tick() -> UInt64 { clock.tick() }
}

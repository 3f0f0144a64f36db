internal import LinuxSystem
internal import SystemPackage

/// A switch union: one mount's object. It knows neither FUSE nor how changes underneath are noticed.
///
/// Every operation is a method in a file of its name under `Operations/`. It starts from node numbers and raw
/// names, and finds what the layers hold now (`resolver`). It decides which layer takes a change (`changes`),
/// makes the change there as the caller, and notes what the kernel is told (`reporting`). A floor reaches
/// only lower ones (docs/architecture.md). Any thread may call any method. A method blocks as long as the
/// real calls do.
///
/// Which locks are held over others: docs/architecture.md, "Locks". No lock is held over a call into a lower but a directory
/// handle's, so a lower that hangs holds up only its callers.
public final class Union: Sendable {
    let layers: Layers
    let resolver: Resolver
    let agents: Agents
    let reporting: Reporting
    let listings: Listings
    let changes: Changes

    var stack: LayerStack { layers.stack }
    var policies: Policies { layers.policies }
    var work: WorkArea { layers.work }
    var table: InodeTable { resolver.table }
    var coherence: Coherence { resolver.coherence }

    let backing: (any BackingStore)?
    let files = HandleTable<FileHandle>()
    let directories = HandleTable<DirectoryHandle>()
    let ledger = LockLedger()

    /// Opens the layers. `backing` nil: no passthrough. `watcher` nil: nothing can be watched. Throws if a
    /// layer or the work directory can't be used.
    public init(
        configuration: UnionConfiguration, backing: (any BackingStore)?, watcher: (any ChangeSource)? = nil
    ) throws(UnionOpenError) {
        self.backing = backing
        let stack = try LayerStack(configuration)
        let policies = configuration.policies
        let work = try WorkArea(path: configuration.workDirectory, upper: stack.upper)
        layers = Layers(stack, policies, work)
        let table = InodeTable(root: Node(rootOf: stack[0]))
        let plan = CoherencePlan(stack.layers, timeToLive: policies.timeToLive, hasWatcher: watcher != nil)
        let store = ListingStore(policies)
        let coherence = Coherence(plan, source: watcher, table, store)
        resolver = Resolver(layers, table, coherence)
        agents = Agents(resolver)
        reporting = Reporting(resolver)
        listings = Listings(reporting, agents, store)
        changes = Changes(reporting)
        changes.settleInterruptedRenames()
    }

    /// How deep filesystems are stacked in the layers. Passthrough must be negotiated for that depth.
    public var stackDepth: Int { stack.stackDepth }

    /// Whether the union takes record locks and flock(2) locks. The kernel alone could keep them only among
    /// the union's clients.
    public var needsLocks: Bool {
        switch policies.locks {
        case .local: false
        case .through: true
        case .auto: stack.layers.contains { coherence.plan.isShared($0) }
        }
    }

    /// How many processors telling ahead needs. nil: nothing is told ahead.
    public var processorsToTellAhead: Int? {
        guard coherence.plan.isLasting, policies.ahead != .off else { return nil }
        return policies.ahead == .always ? 1 : 2
    }

    /// Whether the kernel may ever keep names or attributes.
    public var cachesEntries: Bool { coherence.plan.freshness.entrySeconds > 0 }

    /// Whether the kernel keeps listings and opens directories without asking.
    public var keepsListings: Bool { coherence.plan.isLasting }
}

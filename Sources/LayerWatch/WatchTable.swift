internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// The kernel's watches, and whom each is for.
///
/// Adding and removing a watch and writing that down must be one step to everybody else: an object that is
/// watched a second time has the number that it had, which another thread may just be about to remove.
/// Numbers don't come again, so one that isn't here is of a watch that has ended.
struct WatchTable {
    private let watches: InotifyWatches
    private var owners = Multimap<Int32, Owner>()
    private var numbers = Multimap<NodeID, Int32>()

    init(_ watches: InotifyWatches) { self.watches = watches }

    var count: Int { owners.keyCount }

    func owners(of watch: Int32) -> Multimap<Int32, Owner>.Values? { owners[watch] }

    mutating func add(_ object: FileDescriptor, mask: InotifyMask, owner: Owner) throws(Errno) {
        let watch = try watches.add(object, mask: mask)
        owners.insert(owner, for: watch)
        numbers.insert(watch, for: owner.node)
    }

    /// Ends the node's share in its watches, and those that are nobody's then.
    mutating func remove(_ node: NodeID) {
        guard let removed = numbers.removeAll(for: node) else { return }
        leave(removed.first, node)
        for watch in removed.others { leave(watch, node) }
    }

    private mutating func leave(_ watch: Int32, _ node: NodeID) {
        let isUnused = owners.remove(for: watch) { $0.node == node }
        // Fails when the kernel has removed the watch with its object, and its word for that is on the way.
        if isUnused { try? watches.remove(watch) }
    }

    /// The kernel has ended the watch, with its object or because it was asked to.
    mutating func forget(_ watch: Int32) {
        guard let removed = owners.removeAll(for: watch) else { return }
        forget(watch, removed.first)
        for owner in removed.others { forget(watch, owner) }
    }

    private mutating func forget(_ watch: Int32, _ owner: Owner) {
        _ = numbers.remove(for: owner.node) { $0 == watch }
    }
}

internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// The kernel's watches, and the owners of each.
///
/// Adding or removing a watch and writing that down must be one step to all other threads. The reason: an
/// object that is watched a second time has the number that it had, and another thread may just be about to
/// remove that. Numbers don't come again, so a number that isn't here is of a watch that has ended.
struct WatchTable {
    private let watches: InotifyWatches
    private var owners = WatchOwners()

    init(_ watches: InotifyWatches) { self.watches = watches }

    var count: Int { owners.count }

    mutating func nextOldest() -> Owner? { owners.nextOldest() }

    func owners(of watch: Int32) -> Owners? { owners[watch] }

    mutating func add(_ object: FileDescriptor, mask: InotifyMask, owner: Owner) throws(Errno) {
        let watch = try watches.add(object, mask: mask)
        owners.insert(owner, for: watch)
    }

    mutating func addFile(named name: PathRef, owner: Owner) throws(Errno) {
        let watch = try watches.add(named: name, mask: .fileChanges)
        owners.insert(owner, for: watch)
    }

    /// Has the watch of an object be there for less, if it has no other owner.
    mutating func narrow(_ object: FileDescriptor, to mask: InotifyMask, owner: Owner) {
        // The kernel tells a watch's number only when it is asked to add to it.
        guard let watch = try? watches.add(object, mask: mask.union(.addToMask)) else { return }
        guard let known = owners[watch] else { return owners.insert(owner, for: watch) }
        if known.first == owner && known.others.isEmpty { _ = try? watches.add(object, mask: mask) }
    }

    /// Ends the node's share in its watches. Removes the watches that have no owner then.
    mutating func remove(_ node: NodeID) {
        for watch in owners.remove(node) {
            // This fails if the kernel has removed the watch with its object. The event that says so is on
            // the way.
            try? watches.remove(watch)
        }
    }

    /// Forgets a watch that the kernel has ended, with its object or because it was asked to.
    mutating func forget(_ watch: Int32) { owners.remove(watch) }
}

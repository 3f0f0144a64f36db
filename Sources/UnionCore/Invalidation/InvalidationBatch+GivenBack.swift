internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

extension InvalidationBatch {
    /// The directory isn't watched any more: what the kernel knows by its names it asks for from now on. By its own name, too,
    /// so that it is watched again when somebody comes by.
    func settleGivenBack(_ id: NodeID) {
        guard let node = table.find(id) else { return }
        waitForReplies(in: id)
        for alias in node.reportedNames {
            coherence.invalidations.sent.add(1, ordering: .relaxed)
            try? kernel.expireEntry(id, alias.name)
        }
        dropListing(id)
        if let alias = node.alias { expire(alias.name, in: alias.parent) }
    }
}

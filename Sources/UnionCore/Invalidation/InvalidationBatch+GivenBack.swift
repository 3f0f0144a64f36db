internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

extension InvalidationBatch {
    /// Has the kernel ask from now on for the names that it knows in the directory, which isn't watched any
    /// more. It also asks for the directory's own name, so that the directory is watched again when a caller
    /// comes by.
    func settleGivenBack(_ id: NodeID) {
        guard let node = table.find(id) else { return }
        waitForReplies(in: id)
        for alias in node.reportedNames {
            askAgain(alias.name, in: node)
            reporting.endKeepingByDirectory(of: alias)
        }
        dropListing(id)
        endKeepingBelow(node)
        if let alias = node.alias { expire(alias.name, in: alias.parent) }
    }

    /// Ends the keeping of the cgroups in a cgroup that isn't watched any more. Which control files they have
    /// was told by its watch.
    private func endKeepingBelow(_ node: Node) {
        guard node.state.withLock({ $0.isControlGroup }) else { return }
        for child in directories(in: node) where child.state.withLock({ $0.isControlGroup }) {
            reporting.noteUnwatched(child)
        }
    }
}

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
            endControlKeeping(of: alias)
        }
        dropListing(id)
        if let alias = node.alias { expire(alias.name, in: alias.parent) }
    }
}

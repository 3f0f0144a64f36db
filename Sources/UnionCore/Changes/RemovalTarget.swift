internal import LinuxSystem
internal import SystemPackage

// An orphan that a client has emptied is shown to rmdir(2) alone, so that `rm -r` and its like come to their
// end. The kernel looks the name up before it asks for the removal, and doesn't say what for. The thread's
// system call tells.
extension Changes {
    /// The directory and the name for rmdir(2), emptied orphans included.
    func removalTarget(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Target {
        do throws(Errno) {
            let target = try target(parent, name, caller, for: .take)
            if target.lookup.isVisible || resolver.emptied.isEmpty { return target }
        } catch {
            let isGone = error == .noSuchFileOrDirectory || error == .staleNFSFileHandle
            guard isGone, !resolver.emptied.isEmpty else { throw error }
        }
        let directory = try resolver.node(parent)
        let view = try resolver.viewToRemove(in: directory)
        let lookup = try resolver.lookup(view, name, in: directory, all: true, toRemove: true)
        return Target(directory: directory, view: view, lookup: lookup)
    }
}

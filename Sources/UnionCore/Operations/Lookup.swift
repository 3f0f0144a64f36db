public import LinuxSystem
public import SystemPackage

extension Union {
    /// Finds `name` in `parent`. The node's lookup count grows by one. ENOENT: the union shows nothing there.
    public func lookup(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> LookedUp {
        try resolver.check(name)
        let directory = try resolver.node(parent)
        let turn = coherence.deferredWatches.begin()
        let found = try directory.lookingUp { () throws(Errno) -> NameReport in
            do throws(Errno) {
                return try self.found(name, in: directory, caller)
            } catch {
                guard error == .noSuchFileOrDirectory || error == .staleNFSFileHandle,
                    let emptied = try reporting.lookupToRemove(name, in: directory, caller)
                else { throw error }
                return emptied
            }
        }
        if found.isFile && keepsListings { listings.noteLook(at: name, in: parent, by: caller.pid) }
        return LookedUp(found.entry, found.deferredWatch, turn, reporting)
    }

    private func found(
        _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) -> NameReport {
        let view = try resolver.viewToLook(of: directory, for: caller, lookingUp: name)
        let lookup = try resolver.lookup(view, name, in: directory, filtered: true)
        guard lookup.isVisible else {
            return NameReport(try reporting.absentEntry(lookup, name, in: directory, view), isFile: false)
        }
        try agents.checkSight(lookup, name, in: directory, caller)
        return try reporting.find(
            lookup, name, in: directory, view, watches: .deferred, caller.pid, filtered: true)
    }

    /// Drops `count` of the kernel's references to the node.
    public func forget(_ node: NodeID, count: UInt64) { reporting.forget(node, count: count) }
}

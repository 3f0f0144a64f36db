public import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// Finds `name` in `parent`. ENOENT: the union shows nothing there. The node's lookup count grows by one.
    public func lookup(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> LookedUp {
        try resolver.check(name)
        let directory = try resolver.node(parent)
        let turn = coherence.lateWatches.begin()
        let found = try directory.lookingUp { () throws(Errno) -> Found in
            do throws(Errno) {
                return try self.found(name, in: directory, caller)
            } catch {
                guard error == .noSuchFileOrDirectory || error == .staleNFSFileHandle,
                    let emptied = try reporting.lookupToRemove(name, in: directory, caller)
                else { throw error }
                return emptied
            }
        }
        if found.isFile && keepsListings { listings.habits.noteLook(caller.pid, parent) }
        return LookedUp(found.entry, found.lateWatch, turn, reporting)
    }

    private func found(
        _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) -> Found {
        let view = try resolver.viewToLook(of: directory, for: caller, lookingUp: name)
        let having = resolver.directories(of: view, having: name)
        let survey = try resolver.survey(view, name, in: directory, having: having)
        guard survey.isVisible else {
            return Found(try reporting.absentEntry(survey, name, in: directory, view), isFile: false)
        }
        try agents.checkSight(survey, name, in: directory, caller)
        return try reporting.find(survey, name, in: directory, view, watches: .late, caller.pid)
    }

    /// The kernel drops `count` of its references to the node.
    public func forget(_ node: NodeID, count: UInt64) { reporting.forget(node, count: count) }
}

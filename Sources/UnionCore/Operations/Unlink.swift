public import LinuxSystem
public import SystemPackage

extension Union {
    /// Removes the name from the union. It goes from every layer that has it, bottom up, so that an error
    /// leaves it visible and whole. A whiteout in the upper covers what can't be removed: what is in a
    /// read-only layer, and a directory that lay hidden. The whiteout is there before whatever has hidden
    /// that so far goes.
    public func unlink(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        var target = try changes.target(parent, name, caller, for: .take)
        let lookup = target.lookup
        let plan = try changes.removalPlan(
            lookup, isDirectory: false, name, in: target.directory, target.view)
        let upper = plan.isCovered ? try changes.upperDirectory(for: target.directory, &target.view) : nil
        let unlinked = reporting.unlinkedTarget(lookup, name, in: target.directory, target.view)
        let change = OwnChange(coherence.noting, target.directory, name)
        if let upper, plan.uncovers, let owner = lookup.owner {
            try changes.removeFiles(lookup.hidden, name, target.view, except: upper, caller)
            try changes.cover(name, in: upper, of: target.directory) { () throws(Errno) in
                try changes.removeFiles([owner], name, target.view, except: nil, caller)
            }
        } else {
            try changes.removeFiles(lookup.layerEntries, name, target.view, except: upper, caller)
            if let upper { try changes.coverWithWhiteout(name, in: upper, of: target.directory) }
        }
        reporting.noteTakenAway(name, from: target.directory)
        unlinked.nameIsGone()
        change.end(by: caller)
        target.directory.noteRemoval()
        if keepsListings { listings.readdirPlus.noteRemoval(caller.pid, parent) }
        reporting.leaveEmptied(target.directory)
    }
}

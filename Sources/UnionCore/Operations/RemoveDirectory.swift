public import LinuxSystem
public import SystemPackage

extension Union {
    /// rmdir(2). The directory must be empty as the union shows it; for what a pseudo filesystem lists, that
    /// filesystem's own rmdir decides. Parts in lower layers go first, bottom up, then the upper's.
    public func removeDirectory(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        var target = try changes.removalTarget(parent, name, caller)
        guard let owner = target.lookup.owner else { throw .noSuchFileOrDirectory }
        guard owner.isDirectory else { throw .notDirectory }
        let lookup = target.lookup
        let unlinked = reporting.unlinkedTarget(lookup, name, in: target.directory, target.view)
        let change = OwnChange(coherence.noting, target.directory, name)
        var isGone = false
        if let only = onlyDirectory(of: lookup, target.view) {
            isGone = try changes.removePlain(
                name, in: only, isPseudo: target.view.isPseudo(in: owner.layer), caller)
        }
        if !isGone {
            try removeParts(of: &target, name, caller)
        } else if owner.layer.isUpper {
            work.marks?.drop(owner.status)
        }
        reporting.noteTakenAway(name, from: target.directory)
        unlinked.nameIsGone()
        change.end(by: caller)
        resolver.emptied.forget(owner.status)
        reporting.leaveEmptied(target.directory)
    }

    /// Removes what every layer has of a directory that is empty to users, or covers it with a whiteout.
    private func removeParts(
        of target: inout Target, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        let lookup = target.lookup
        let plan = try changes.removalPlan(lookup, isDirectory: true, name, in: target.directory, target.view)
        let cover = plan.isCovered ? try changes.upperDirectory(for: target.directory, &target.view) : nil
        try changes.removeFiles(lookup.hidden, name, target.view, except: cover, caller)
        guard let cover else {
            try removeLowers(plan, name, target.view, caller)
            return try removeUpper(lookup, name, in: target.directory, target.view, caller)
        }
        guard plan.uncovers else {
            return try changes.coverWithWhiteout(name, in: cover, of: target.directory)
        }
        try changes.cover(name, in: cover, of: target.directory) { () throws(Errno) in
            try removeLowers(plan, name, target.view, caller)
        }
    }

    /// Removes the lower layers' parts, bottom up.
    private func removeLowers(
        _ plan: RemovalPlan, _ name: PathRef, _ view: borrowing DirectoryView, _ caller: CallerIdentity
    ) throws(Errno) {
        for part in plan.removed where part.isDirectory && !part.layer.isUpper {
            guard let directory = view.directory(in: part.layer.index) else { continue }
            if try changes.removePlain(name, in: directory, caller) { continue }
            // Whiteouts above hide what keeps it from going: it stays, and is hidden itself.
            guard plan.isCovered, try changes.isOrdinary(part) else { throw .directoryNotEmpty }
        }
    }

    /// The directory in a writable layer that has the name, if no other layer has one.
    private func onlyDirectory(
        of lookup: NameLookup, _ view: borrowing DirectoryView
    ) -> FileDescriptor? {
        guard lookup.layerEntries.count == 1, let only = lookup.layerEntries.first, !only.layer.isReadOnly
        else { return nil }
        return view.directory(in: only.layer.index)
    }

    /// Removes the upper's part. If it still holds whiteouts and unseen skeletons, it is put aside.
    private func removeUpper(
        _ lookup: NameLookup, _ name: PathRef, in parent: Node, _ view: borrowing DirectoryView,
        _ caller: CallerIdentity
    ) throws(Errno) {
        guard let part = lookup.visible.first(where: { $0.layer.isUpper }),
            let directory = view.directory(in: part.layer.index)
        else { return }
        if try changes.removePlain(name, in: directory, caller) {
            work.marks?.drop(part.status)
        } else {
            try layers.evict(name, in: directory, at: try resolver.path(of: name, in: parent))
        }
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Which node a name's answer is, and what the kernel is told by it.
//
// A file is the node of its real object. A directory is the node that the kernel was told at this name, as
// long as some of what it was made of is still there. A directory that a stranger has moved is found by its
// owner.

extension Reporting {
    /// The node of what was found under the name, reported there. Its lookup count grows by one. nil: the
    /// look is older than what was reported or decided meanwhile. `isLast`: an older look is reported all the
    /// same, but must not be kept.
    func reportNode(
        _ lookup: NameLookup, _ owner: LayerEntry, _ filesystem: FilesystemFacts, _ name: PathRef,
        in directory: Node, isLast: Bool
    ) -> Node? {
        let begun = isLast ? .max : lookup.begun
        return owner.isDirectory
            ? reportDirectory(lookup, owner, filesystem, name, in: directory, begun)
            : reportFile(owner, filesystem, name, in: directory, begun)
    }

    private func reportFile(
        _ owner: LayerEntry, _ filesystem: FilesystemFacts, _ name: PathRef, in directory: Node,
        _ begun: UInt64
    ) -> Node? {
        let identity = resolver.identity(of: owner)
        let node = table.findOrMake(identity) { id in
            Node(id: id, identity: identity, filesystem: filesystem)
        }
        let report = directory.report(name, node, layer: owner.layer.index, begun: begun)
        guard case .reported(let alias, let displaced) = report else {
            forget(node.id, count: 1)
            return nil
        }
        noteReported(node, at: alias, displaced, hasOtherNames: owner.status.linkCount > 1)
        return node
    }

    private func reportDirectory(
        _ lookup: NameLookup, _ owner: LayerEntry, _ filesystem: FilesystemFacts, _ name: PathRef,
        in directory: Node, _ begun: UInt64
    ) -> Node? {
        let makeup = Makeup(of: lookup)
        let owned = resolver.directoryOwner(owner, filesystem)
        while true {
            let known = directory.reported(name)
            let node =
                continuing(known, makeup, at: name, in: directory) ?? seenBefore(
                    owned, makeup, at: name, in: directory)
                ?? table.add { Node(id: $0, owner: owned, makeup: makeup) }
            let report = directory.report(
                name, node, layer: owner.layer.index, begun: begun, expecting: known)
            switch report {
            case .reported(let alias, let displaced):
                noteReported(node, at: alias, displaced, hasOtherNames: false)
                if known?.node != node.id { node.noteSettled(in: directory.makeup.backings) }
                noteMakeup(makeup, owned, of: node, begun: lookup.begun)
                // If an invalidation batch has yet to take the makeup in, that batch notes the owner.
                if node.state.withLock({ $0.owner?.part == owned.part }) {
                    table.noteOwner(owned.part, of: node)
                }
                return node
            case .outdated:
                forget(node.id, count: 1)
                return nil
            case .changed: forget(node.id, count: 1)
            }
        }
    }

    /// The directory that the kernel knows by the name, if the union still shows it there. Its lookup count
    /// grows by one.
    private func continuing(
        _ known: NodeAlias?, _ makeup: Makeup, at name: PathRef, in directory: Node
    ) -> Node? {
        guard let node = known.flatMap({ table.find($0.node) }),
            resolver.continues(node, as: makeup, at: name, in: directory)
        else { return nil }
        return table.retain(node) ? node : nil
    }

    /// The directory that was seen at this name before, or elsewhere and isn't there any more: a process may
    /// stand in it. Its lookup count grows by one. If the directory still is elsewhere, a layer shows it at
    /// two places (a bind mount), and this one is another node.
    private func seenBefore(
        _ owner: DirectoryOwner, _ makeup: Makeup, at name: PathRef, in directory: Node
    ) -> Node? {
        guard let node = table.directory(ownedBy: owner.part), !node.isRoot, node.continues(as: makeup),
            node.alias?.isAt(directory, name) == true || !resolver.stands(node)
        else { return nil }
        return table.retain(node) ? node : nil
    }

    /// Notes that the node was reported at the alias, and takes its other aliases away where they have gone.
    /// Where nothing is kept no event takes them away, and the kernel asks for each name again before it uses it.
    private func noteReported(_ node: Node, at alias: NodeAlias, _ displaced: NodeAlias?, hasOtherNames: Bool)
    {
        if let displaced { table.find(displaced.node)?.forget(displaced, isGone: false) }
        node.noteSeen(at: alias)
        if hasOtherNames || coherence.plan.isLasting || !node.state.withLock({ $0.hasOtherAliases }) {
            return
        }
        for other in node.aliases where !other.isSame(as: alias) {
            // The link count may come from the moment when this name had just gone, and the other hadn't.
            if !node.isDirectory && resolver.isThere(node, at: other) { continue }
            other.parent.unreport(other)
            node.forget(other, isGone: true)
        }
    }

    /// Notes what a directory that the kernel knows is made of. If that changes what the kernel keeps, the
    /// notify thread must put names in the directory right first.
    private func noteMakeup(_ makeup: Makeup, _ owner: DirectoryOwner, of node: Node, begun: UInt64) {
        let (known, isCached) = node.state.withLock { ($0.makeup, $0.isCached) }
        if known == makeup { return }
        if coherence.plan.isLasting {
            if isCached { return coherence.invalidations.append(.object(node.id)) }
            // The kernel perhaps kept it once. It is queued before it is made of other parts, so that `sync`
            // waits for this, too.
            coherence.invalidations.append(.names(node.id))
        }
        setMakeup(makeup, owner, of: node, begun: begun)
    }

    /// Notes what the directory is made of from now on. While the kernel keeps what the directory holds, it
    /// can't be made of more than before: the notify thread sees to that first. `mayGrow` allows it
    /// (`Node.noteMakeup`), for a caller that sees to that. A part that has gone, or come where nothing is kept any
    /// more, is no news to that thread when it comes to the event, so it is told to put the names in the directory
    /// right.
    func setMakeup(
        _ makeup: Makeup, _ owner: DirectoryOwner, of node: Node, begun: UInt64, mayGrow: Bool = false
    ) {
        switch take(makeup, owner, of: node, begun: begun, mayGrow: mayGrow) {
        case .unwatched: coherence.invalidations.append(.object(node.id))
        case .taken(_, isOther: true) where coherence.plan.isLasting && !mayGrow:
            coherence.invalidations.append(.names(node.id))
        default: break
        }
    }

    /// Notes what the directory is made of from now on. False: something must be watched first.
    func trySetMakeup(
        _ makeup: Makeup, _ owner: DirectoryOwner, of node: Node, begun: UInt64
    ) -> Bool {
        let noting = take(makeup, owner, of: node, begun: begun, mayGrow: false)
        return if case .unwatched = noting { false } else { true }
    }

    private func take(
        _ makeup: Makeup, _ owner: DirectoryOwner, of node: Node, begun: UInt64, mayGrow: Bool
    ) -> MakeupNoting {
        let noting = node.noteMakeup(makeup, owner, begun: begun, mayGrow: mayGrow)
        if case .taken(let before?, _) = noting, before.part != owner.part {
            table.forgetOwner(before.part, of: node)
            table.noteOwner(owner.part, of: node)
        }
        return noting
    }

    /// Takes back that the name was reported: the kernel isn't told of it after all, and knew nothing by it before. It
    /// may remember the name as missing, and no event says any more that this is wrong, as the table has just what is
    /// there. So the name is asked for again. (A node that only this report held takes its names with it.)
    func takeBack(_ name: PathRef, in directory: Node) {
        guard coherence.plan.isLasting, let reported = directory.reported(name) else { return }
        directory.addDoubts([reported.node], of: name)
        coherence.invalidations.appendName(directory.id, name)
    }

    /// Drops `count` of the kernel's references to the node.
    func forget(_ node: NodeID, count: UInt64) {
        guard let gone = table.forget(node, count: count) else { return }
        coherence.keptListings.forget(node)
        if gone.isDirectory {
            resolver.views.forget(node)
            coherence.strays.forget(node)
            if let owner = gone.state.withLock({ $0.owner }) { table.forgetOwner(owner.part, of: gone) }
            for alias in gone.reportedNames {
                gone.unreport(alias)
                endKeepingByDirectory(of: alias)
            }
        }
        // What the kernel knows by a contested name may be the other answer.
        for alias in gone.forgetAliases() where !alias.isContested { alias.parent.unreport(alias) }
        endWatch(of: gone)
    }
}

extension Node {
    /// Whether a directory of this makeup is the same to users: some part of it was there all the time.
    func continues(as makeup: Makeup) -> Bool {
        isDirectory && state.withLock { !$0.isDead && $0.makeup.shares(with: makeup) }
    }
}

extension Reporting {
    func reportNameless(_ status: FileStatus, _ filesystem: FilesystemFacts) -> Node {
        let identity = ObjectIdentity(status, on: filesystem)
        return table.findOrMake(identity) { id in
            Node(id: id, identity: identity, filesystem: filesystem)
        }
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// What a union directory is made of, and which of its names were reported to the kernel.

extension Node {
    var makeup: Makeup { state.withLock { $0.makeup } }

    /// What the parent was made of (`Makeup.backings`) when this directory's name was settled last, or
    /// reported first.
    var settledIn: UInt64 { state.withLock { $0.settledIn } }

    func noteSettled(in backings: UInt64) { state.withLock { $0.settledIn = backings } }

    /// When the directory came to be watched whole, by the clock of `Coherence`. A part may have come and gone
    /// before that: no event tells of it.
    var watchedWhole: UInt64 { state.withLock { $0.watchedWhole } }

    func noteWatchedWhole(at now: UInt64) { state.withLock { $0.watchedWhole = now } }

    /// The lowest layer that may back the directory. Complete marks on it, and on directories above it, end
    /// the search there.
    var floor: Int {
        var floor = Int.max
        var way = WayUp(from: self)
        repeat {
            let (own, isMoved) = way.node.state.withLock { state in
                (state.makeup.floor, state.makeup.redirections.contains(where: \.isAbsolute))
            }
            floor = min(floor, own)
            // A mark leads away from what is above. What counts there was seen when the mark was followed.
            if isMoved { break }
        } while way.next() != nil
        return floor
    }

    /// The aliases that lead from it up to the root, its own first. nil: they lead to no root.
    var way: [NodeAlias]? {
        var (way, aliases) = (WayUp(from: self), [NodeAlias]())
        while let alias = way.next() { aliases.append(alias) }
        return way.node.isRoot ? aliases : nil
    }

    /// Notes what the directory is made of from now on. `begun`: when the look began; a newer makeup stays.
    /// `mayGrow`: new parts are watched, or nothing of the directory is kept soon.
    func noteMakeup(_ makeup: Makeup, _ owner: DirectoryOwner, begun: UInt64, mayGrow: Bool) -> MakeupNoting {
        state.withLock { state in
            guard state.madeAt <= begun else { return .outdated }
            // This is one step with the writing: another thread may just have begun to keep what it holds.
            guard mayGrow || !state.isCached || makeup.isWithin(state.makeup) else { return .unwatched }
            defer { state.note(makeup, owner, begun) }
            return .taken(before: state.owner, isOther: state.makeup.backings != makeup.backings)
        }
    }

    /// Lets nothing below `layer` back the directory any more, as of `now`.
    func lowerFloor(to layer: Int, at now: UInt64) {
        state.withLock { state in
            var makeup = state.makeup
            makeup.lower(floor: layer)
            state.makeup = makeup
            state.madeAt = now
        }
    }

    /// Since when it is watched as a cgroup, by the clock of `Coherence`. nil: it isn't.
    var watchedAsControlGroupSince: UInt64? {
        state.withLock { $0.isControlGroup && $0.isCached ? $0.cachedSince : nil }
    }

    /// Whether a client has removed it, or put something in its place. To the kernel it is dead then,
    /// whatever became of it.
    var isDead: Bool { state.withLock { $0.isDead } }

    func die() { state.withLock { $0.isDead = true } }

    /// The alias that the kernel may know the name as. nil: it knows the name as missing, or not at all.
    func reported(_ name: PathRef) -> NodeAlias? { state.withLock { $0.names.find(name) } }

    /// The aliases that the kernel may know the directory's names as.
    var reportedNames: [NodeAlias] { state.withLock { $0.names.all } }

    /// Whether the kernel may remember names in the directory as missing.
    var mayKnowAbsent: Bool { state.withLock { $0.mayKnowAbsent } }

    /// Whether the kernel knows the directory by its alias, as far as is known.
    var isReportedAtItsAlias: Bool {
        alias?.isReported == true
    }

    /// Makes sure that looks that were begun before this aren't reported any more. What the kernel knows of
    /// names in here was decided or changed since.
    func outdateLooks(at now: UInt64) { state.withLock { $0.looksCountFrom = now } }
}

/// What became of a look at what a directory is made of.
enum MakeupNoting {
    /// `isOther`: the parts are others than those that were known.
    case taken(before: DirectoryOwner?, isOther: Bool)
    /// The makeup that is known is younger.
    case outdated
    /// What the directory holds is kept, and it has a new part that isn't watched yet.
    case unwatched
}

/// What became of the reporting of a name.
enum Report {
    /// `displaced`: the other alias that the kernel knew by the name.
    case reported(NodeAlias, displaced: NodeAlias?)
    /// What was reported or decided meanwhile is younger than the look.
    case outdated
    /// Another node was reported than was expected.
    case changed
}

extension Node {
    /// Notes that the kernel is about to be told `child` under the name. `begun`: when the look began;
    /// `.max`: whatever was reported meanwhile. `expected`: what must have been reported before, if that
    /// matters.
    func report(
        _ name: PathRef, _ child: Node, layer: Int, begun: UInt64, expecting expected: NodeAlias?? = nil
    ) -> Report {
        state.withLock { state in
            // This is one step with the writing. A thread that has decided either sees what was written
            // before, or is seen here.
            guard state.looksCountFrom <= begun else { return .outdated }
            let known = state.names.find(name)
            if let expected, expected?.node != known?.node { return .changed }
            if let known, known.reported > begun { return .outdated }
            let reported = begun == .max ? known?.reported ?? 0 : begun
            if let known, known.node == child.id, known.layer == layer {
                known.noteReported(reported)
                return .reported(known, displaced: nil)
            }
            let alias = NodeAlias(of: child, in: self, name, layer: layer, reported: reported)
            if let known, known.isContested { alias.contest() }
            if let known, known.node != child.id {
                // A file may be on its way to the kernel in a listing, too: it isn't known which answer it
                // takes in last.
                if known.isDirectory { state.doubts.add(known.node, of: name) } else { alias.contest() }
            }
            let displaced = state.names.set(alias)
            return .reported(alias, displaced: displaced)
        }
    }

    /// Notes that the kernel is about to be told that the name is missing, by a look that was begun at that
    /// time. False: what was decided meanwhile is younger, and the answer must not be kept.
    func reportAbsent(_ name: PathRef, begun: UInt64) -> Bool {
        state.withLock { state in
            guard state.looksCountFrom <= begun else { return false }
            state.mayKnowAbsent = true
            guard let known = state.names.find(name) else { return true }
            guard known.isDirectory && !known.isContested else {
                known.contest()
                return true
            }
            // The kernel asks only where it has nothing.
            state.names.remove(name)
            state.doubts.add(known.node, of: name)
            known.withdraw()
            return true
        }
    }

    /// Notes that the kernel knows nothing by the name any more, or is about to be told so. Returns what it
    /// knew.
    func unreport(_ name: PathRef) -> NodeAlias? {
        let alias = state.withLock { $0.names.remove(name) }
        alias?.withdraw()
        return alias
    }

    /// Notes that the kernel doesn't know this very alias any more.
    func unreport(_ alias: NodeAlias) {
        state.withLock { $0.names.remove(alias) }
        alias.withdraw()
    }

    /// Notes that a client has taken the name away, so that the kernel knows it as missing. Returns what it
    /// knew before.
    func noteTakenAway(_ name: PathRef) -> NodeAlias? {
        state.withLock { $0.mayKnowAbsent = true }
        return unreport(name)
    }

    /// Notes that a client has put a node there, whatever stood or stands there. Returns what the kernel knew
    /// before.
    func notePut(_ alias: NodeAlias) -> NodeAlias? { state.withLock { $0.names.set(alias) } }
}

// Doubts.
extension Node {
    /// What the kernel may still know by the name, besides what was reported last.
    func doubts(of name: PathRef) -> [NodeID] { state.withLock { $0.doubts.nodes(of: name) } }

    /// Notes that the name is about to be dropped. Returns what was reported by it, if anything. Until the
    /// drop is through, the kernel may still know that.
    func beginDrop(_ name: PathRef) -> NodeAlias? {
        let alias = state.withLock { state in
            let alias = state.names.remove(name)
            if let alias { state.doubts.add(alias.node, of: alias.name) }
            return alias
        }
        alias?.withdraw()
        return alias
    }

    /// Notes that the kernel may know these by the name.
    func addDoubts(_ nodes: [NodeID], of name: PathRef) {
        if nodes.isEmpty { return }
        state.withLock { state in
            for node in nodes { state.doubts.add(node, of: name) }
        }
    }

    /// Notes that the kernel knows none of these by that name.
    func endDoubts(_ nodes: [NodeID], of name: PathRef) {
        if !nodes.isEmpty { state.withLock { $0.doubts.remove(nodes, of: name) } }
    }
}

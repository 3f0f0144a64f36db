internal import LinuxSystem
internal import Synchronization

// Watches are the user's, and other programs need some: from a number of them on, one is given back for each that is asked
// for, the one that was asked for longest ago. The kernel tells of no use of what it keeps, so that is as near to the least
// recently used as can be had; what is still in use is asked for again, and watched again.
//
// First nothing more is told to be kept, then the watch ends, then what was told is dropped: a change in between has been
// dropped with it. `switchfs sync` waits for that as for any event.
extension Reporting {
    /// Sees to it that one more watch may be asked for. False: none can be given back.
    func makeRoomForWatch(_ source: any ChangeSource) -> Bool {
        guard source.isFull else { return true }
        // Two for one, where the number that may be had has become smaller.
        for _ in 0..<2 {
            guard giveOldestBack(source) else { return !source.isFull }
        }
        return true
    }

    /// A file's, if there is one among the next few: with a directory's go all names in it.
    private func giveOldestBack(_ source: any ChangeSource) -> Bool {
        var directories: [Node] = []
        for step in 0..<256 {
            guard let id = source.nextOldest() else { break }
            guard let node = table.find(id) else {
                source.unwatch(id)
                return true
            }
            if !node.isDirectory {
                giveBackFile(node, source)
                return true
            }
            if !node.isRoot && !node.mayKnowAbsent { directories.append(node) }
            if step >= 15, directories.contains(where: { giveBackDirectory($0, source) }) { return true }
        }
        return false
    }

    private func giveBackFile(_ node: Node, _ source: any ChangeSource) {
        node.state.withLock { state in
            state.isCached = false
            state.endings &+= 1
        }
        source.unwatch(node.id)
        coherence.givenBack.add(1, ordering: .relaxed)
        coherence.invalidations.append(.attributes(node.id))
    }

    /// Not where the kernel may remember names as missing: nobody could name those, and they would stay missing.
    private func giveBackDirectory(_ node: Node, _ source: any ChangeSource) -> Bool {
        guard endKeeping(of: node, ofMissingToo: false) else { return false }
        source.unwatch(node.id)
        coherence.givenBack.add(1, ordering: .relaxed)
        coherence.invalidations.append(.givenBack(node.id))
        return true
    }

    /// One of the real directories that back it from now on can't be watched.
    func noteUnwatched(_ node: Node) {
        if endKeeping(of: node, ofMissingToo: true) { coherence.invalidations.append(.givenBack(node.id)) }
    }

    /// Nothing more of the directory is told to be kept, until it is looked up and watched again. False: the kernel may
    /// remember names in it as missing, and those aren't meant.
    private func endKeeping(of node: Node, ofMissingToo: Bool) -> Bool {
        let now = coherence.tick()
        let isNew: Bool? = node.state.withLock { state in
            if state.mayKnowAbsent && !ofMissingToo { return nil }
            // Looks from before aren't told any more, as something that may be kept.
            state.looksCountFrom = now
            state.isCached = false
            state.endings &+= 1
            state.isGivenBack = true
            defer { state.isDegraded = true }
            return !state.isDegraded
        }
        guard let isNew else { return false }
        if isNew { coherence.degraded.add(1, ordering: .relaxed) }
        coherence.views.noteChange(.object(node.id))
        coherence.listings.drop(node.id)
        return true
    }
}

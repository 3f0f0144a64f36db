internal import LinuxSystem
internal import Synchronization

// Watches are the user's, and other programs need some. So from a number of watches on, each new one has an
// old one given back: the one that was asked for longest ago. The kernel doesn't tell when it uses what it
// keeps, so this is as near to the least recently used as can be had. What is still in use is asked for
// again, and watched again.
//
// First nothing more is reported to be kept. Then the watch ends. Then the kernel drops what was reported,
// and a change in between with it. `switchfs sync` waits for that as for any event.
extension Reporting {
    /// Makes room for one more watch. False: none can be given back.
    func makeRoomForWatch(_ source: any ChangeSource) -> Bool {
        guard source.isFull else { return true }
        // Gives two back for one, as the number that may be had may have become smaller.
        for _ in 0..<2 {
            guard giveOldestBack(source) else { return !source.isFull }
        }
        return true
    }

    /// Gives a watch back: a file's, if there is one among the next few. With a directory's watch all names
    /// in it go.
    private func giveOldestBack(_ source: any ChangeSource) -> Bool {
        var directories: [Node] = []
        for step in 0..<256 {
            guard let id = source.nextOldest() else { break }
            guard let node = table.find(id) else {
                source.unwatch(id)
                return true
            }
            if !node.isDirectory {
                if giveBackFile(node, source) { return true }
                continue
            }
            let mayGo = !node.isRoot && node.state.withLock { !$0.mayKnowAbsent && !$0.isControlGroup }
            if mayGo { directories.append(node) }
            if step >= 15, directories.contains(where: { giveBackDirectory($0, source) }) { return true }
        }
        return false
    }

    /// Gives a file's watch back. False: the kernel may have pages of it, which need the watch.
    @discardableResult
    func giveBackFile(_ node: Node, _ source: any ChangeSource) -> Bool {
        if node.state.withLock({ $0.openFiles })?.hasPages == true { return false }
        node.state.withLock { state in
            state.isCached = false
            state.endings &+= 1
        }
        source.unwatch(node.id)
        coherence.givenBack.add(1, ordering: .relaxed)
        coherence.invalidations.append(.attributes(node.id))
        return true
    }

    /// Gives a directory's watches back. False: the kernel may remember names in it as missing. No thread
    /// could list these names, so they would stay missing.
    private func giveBackDirectory(_ node: Node, _ source: any ChangeSource) -> Bool {
        guard endKeeping(of: node, ofMissingToo: false) else { return false }
        source.unwatch(node.id)
        coherence.givenBack.add(1, ordering: .relaxed)
        coherence.invalidations.append(.givenBack(node.id))
        return true
    }

    /// Ends the keeping of the directory: a real directory that backs it from now on can't be watched.
    func noteUnwatched(_ node: Node) {
        if endKeeping(of: node, ofMissingToo: true) { coherence.invalidations.append(.givenBack(node.id)) }
    }

    /// Makes sure that nothing more of the directory is reported to be kept, until it is looked up and
    /// watched again. False: the kernel may remember names in it as missing, and `ofMissingToo` doesn't
    /// include those.
    private func endKeeping(of node: Node, ofMissingToo: Bool) -> Bool {
        let now = coherence.tick()
        let isNew: Bool? = node.state.withLock { state in
            if state.mayKnowAbsent && !ofMissingToo { return nil }
            // Earlier looks aren't reported any more as something that may be kept.
            state.looksCountFrom = now
            state.isCached = false
            state.endings &+= 1
            state.isGivenBack = true
            state.filesWatchedSince = 0
            defer { state.isDegraded = true }
            return !state.isDegraded
        }
        guard let isNew else { return false }
        if isNew { coherence.degraded.add(1, ordering: .relaxed) }
        coherence.views.noteChange(.object(node.id))
        coherence.keptListings.drop(node.id)
        return true
    }
}

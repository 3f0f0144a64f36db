internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// What the kernel is told to drop.
extension InvalidationBatch {
    /// Has the kernel drop the name, as what it knows by it isn't there. The name first leaves the table.
    /// What is reported from then on is noted, and the drop waits until the kernel has taken that in.
    /// `isUnknown`: the kernel knows something by it that isn't in the table.
    mutating func dropName(_ name: PathRef, in directory: Node, isUnknown: Bool = false) {
        let alias = directory.beginDrop(name)
        let doubts = directory.doubts(of: name)
        guard isUnknown || alias != nil || !doubts.isEmpty else { return askAgain(name, in: directory) }
        defer { end(doubts, of: name, in: directory) }
        if let alias, let node = table.find(alias.node) {
            node.forget(alias, isGone: false)
            if node.isDirectory { gone.append(node) }
            // Where it is now, if it is anywhere, another directory's watch tells of it, or none.
            if node.endKeepingByDirectory(at: coherence.tick()) { dropNode(node.id, content: false) }
        }
        send { () throws(Errno) in try kernel.dropEntry(directory.id, name) }
    }

    /// Sends the kernel a notification, and counts it. Returns the kernel's error.
    @discardableResult
    private func send(_ notify: () throws(Errno) -> Void) -> Errno? {
        coherence.invalidations.sent.add(1, ordering: .relaxed)
        return tell(notify)
    }

    /// The same, uncounted. Posts a notice if the kernel refuses. It is no news if the kernel has nothing to
    /// drop (ENOENT, ENOTDIR), or if the connection is at its end.
    private func tell(_ notify: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) {
            try notify()
            return nil
        } catch {
            let expected: [Errno] = [
                .noSuchFileOrDirectory, .notDirectory, .socketNotConnected, .noSuchAddressOrDevice,
                .connectionAbort, .operationNotSupportedByDevice,
            ]
            if !expected.contains(error) {
                reporting.layers.notices.post(
                    .ignored(.dropFromKernel, path: nil, error), once: "drop \(error)")
            }
            return error
        }
    }

    /// Ends the doubts about the name. By now the kernel has taken in whatever was reported to a client that
    /// holds the directory's lock. The name is asked for once more all the same: a rename takes along what its
    /// client had found, though somebody else has been told otherwise meanwhile. What is right stays.
    mutating func endDoubts(of name: PathRef, in directory: Node) {
        let doubts = directory.doubts(of: name)
        if doubts.isEmpty { return }
        askAgain(name, in: directory)
        end(doubts, of: name, in: directory)
    }

    /// Notes that the kernel knows none of these by the name. Somebody may stand in such a directory, and a request that
    /// has found another one there was faster than the event.
    private mutating func end(_ doubts: [NodeID], of name: PathRef, in directory: Node) {
        directory.endDoubts(doubts, of: name)
        gone.append(contentsOf: doubts.lazy.compactMap(table.find).filter(\.isDirectory))
    }

    /// Has the name asked for once more, as the kernel may remember it as missing. What is reported of it
    /// meanwhile is right, and stays.
    func askAgain(_ name: PathRef, in directory: Node) {
        send { () throws(Errno) in try kernel.expireEntry(directory.id, name) }
    }

    /// Has the name asked for at the next look. What the kernel knows by it is right, but may not be kept any
    /// more.
    func expire(_ name: PathRef, in directory: Node) {
        waitForReplies(in: directory.id)
        askAgain(name, in: directory)
    }

    func dropAttributes(of files: [NodeID]) {
        // Most of those that were just made or removed are gone by now.
        let files = files.filter { table.find($0) != nil }
        let parents = Set(files.flatMap { table.find($0)?.aliases.map(\.parent.id) ?? [] })
        for parent in parents { waitForReplies(in: parent) }
        for node in files { dropNode(node, content: false) }
    }

    /// Has the kernel drop the directory's listing. An older listing may be on its way, so this waits for it.
    func dropListing(_ directory: NodeID) {
        if table.find(directory)?.state.withLock({ $0.isListingReported }) == true {
            waitForReplies(in: directory)
        }
        dropNode(directory, content: true)
    }

    /// Waits for replies to requests in the directory: takes and leaves the directory's lock, which the
    /// kernel holds from a request until it has taken the reply in.
    func waitForReplies(in directory: NodeID) {
        try? kernel.dropEntry(directory, impossibleName)
    }

    /// Has the kernel drop the node's attributes; with `content` a directory's listing too, and a file's
    /// pages. The kernel may be about to take in the node for the first time, from a reply older than the
    /// change: then it has nothing to drop yet. So this waits for such a reply, by the lock of each directory
    /// that reported the node, and then has the node dropped.
    func dropNode(_ id: NodeID, content: Bool) {
        let openFiles = table.find(id)?.state.withLock { state in
            state.reportedAttributes = .none
            if content { state.isListingReported = false }
            return state.openFiles
        }
        // A client may have mapped the pages.
        let content = content || openFiles?.hasPages == true
        let error = send { () throws(Errno) in try kernel.dropNode(id, content: content) }
        guard error == .noSuchFileOrDirectory, let node = table.find(id) else { return }
        for parent in Set(node.aliases.map(\.parent.id)) { waitForReplies(in: parent) }
        _ = tell { () throws(Errno) in try kernel.dropNode(id, content: content) }
    }
}

/// A name that no client asks for: dropping it drops nothing.
private var impossibleName: PathRef { "\u{1}switchfs-barrier" }

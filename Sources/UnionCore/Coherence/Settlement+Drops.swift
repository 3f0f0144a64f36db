internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// What the kernel is told to drop.
extension Settlement {
    func drop(_ directory: NodeID, _ name: PathRef) {
        table.find(directory)?.state.withLock { $0.lastDrop = coherence.tick() }
        coherence.invalidator.sent.add(1, ordering: .relaxed)
        try? kernel.dropEntry(directory, name)
    }

    func dropNames(of node: Node) {
        for place in node.places { drop(place.parent.id, place.name) }
    }

    /// Not those that others have by now: a drop takes with it what clients have mounted below. When it left these, they
    /// were dropped.
    func dropStandingNames(of node: Node) {
        for place in node.places {
            if let survey = lookAgain(at: place), !survey.shows(node) { continue }
            drop(place.parent.id, place.name)
        }
    }

    func dropAttributes(of files: [NodeID]) {
        let parents = Set(files.flatMap { table.find($0)?.places.map(\.parent.id) ?? [] })
        for parent in parents { waitForReplies(in: parent) }
        for node in files { drop(node, content: false) }
    }

    /// A listing that must not be kept may be on its way.
    func dropListing(_ directory: NodeID) {
        waitForReplies(in: directory)
        drop(directory, content: true)
    }

    /// Takes and leaves the directory's lock, which the kernel holds from a request until it has taken the
    /// reply in.
    func waitForReplies(in directory: NodeID) {
        try? kernel.dropEntry(directory, impossibleName)
    }

    /// The kernel may be about to take in a node for the first time, from a reply older than the change: then
    /// it has nothing to drop yet. Taking and leaving the lock of each directory that told the node waits for
    /// such a reply; after that it can be dropped.
    func drop(_ id: NodeID, content: Bool) {
        table.find(id)?.state.withLock { state in
            state.attributesTold = .none
            if content { state.isListingTold = false }
        }
        coherence.invalidator.sent.add(1, ordering: .relaxed)
        do throws(Errno) {
            try kernel.dropNode(id, content: content)
        } catch {
            guard error == .noSuchFileOrDirectory, let node = table.find(id) else { return }
            for place in node.places { waitForReplies(in: place.parent.id) }
            try? kernel.dropNode(id, content: content)
        }
    }

    /// After an overflow nothing is known of what was watched.
    func dropEverything() {
        try? kernel.dropAllNames()
        // The kernel takes the files of a listing in as of the time when it does, not of when it asked.
        for directory in table.directories { waitForReplies(in: directory.id) }
        waitForReplies(in: .root)
        try? kernel.dropAllNames()
        for node in table.all {
            dropNames(of: node)
            drop(node.id, content: true)
        }
        drop(.root, content: true)
    }
}

/// A name that no client can have asked for: dropping it drops nothing.
private var impossibleName: PathRef { "\u{1}switchfs-barrier" }

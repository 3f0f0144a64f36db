internal import LinuxSystem
internal import Synchronization

// Directories that are made of others than the kernel knows them as.
extension Settlement {
    /// Directories of which the survey shows that they are made of others than they were told with: who stands
    /// in one must see that. By a path such a directory is found as a new node.
    mutating func leave(_ survey: Survey, _ name: PathRef, in directory: Node) {
        let mark = survey.layersMark(in: directory)
        for standing in survey.standings where standing.isDirectory {
            for node in nodes(of: standing, name, in: directory)
            where !node.isMade(of: mark) && mayJudge(node, in: directory) {
                leave(node, survey, in: directory)
            }
        }
    }

    /// Those that the kernel knows the directory by, and older ones that it was known by there.
    private func nodes(of standing: Standing, _ name: PathRef, in directory: Node) -> [Node] {
        let older = table.older.filter { node in
            node.identity.matches(standing.status) && node.places.contains { $0.isAt(directory, name) }
        }
        guard let node = union.knownNode(of: standing, name, in: directory) else { return older }
        return older + [node]
    }

    /// What is made of what is told by the directory that its path leads to, not by one of which only who stands
    /// in it knows.
    private func mayJudge(_ node: Node, in directory: Node) -> Bool {
        if union.isFoundByPath(directory) { return true }
        // Places are where a node was seen, ever.
        return !node.places.contains {
            union.isFoundByPath($0.parent) && lookAgain(at: $0)?.shows(node) == true
        }
    }

    private mutating func leave(_ node: Node, _ survey: Survey, in directory: Node) {
        let floor = survey.floor(in: directory)
        leave(node, floor)
        changed.insert(node.id)
    }

    private func leave(_ node: Node, _ floor: Int) {
        node.state.withLock { $0.leave(floor) }
        // Replies on their way are taken in before the names are dropped.
        waitForReplies(in: node.id)
        // It may have been told at another place meanwhile.
        dropStandingNames(of: node)
    }

    /// The same for a node that its path doesn't lead to any more, but that somebody stands in.
    mutating func leaveOther(_ node: Node, at place: Place) {
        guard !changed.contains(node.id), let survey = lookAgain(at: place),
            !node.isMade(of: survey.layersMark(in: place.parent))
        else { return }
        leave(node, survey, in: place.parent)
    }

    /// A directory that a client has renamed something over is dead to the kernel: nothing is found in it ever again.
    /// Where it lives on, as a stranger had moved it away a moment before, it must be told as a new node.
    func leaveReplaced() {
        if replaced.isEmpty { return }
        for node in table.directories where wasReplaced(node) {
            leave(node, node.floor)
        }
    }

    /// Whether the kernel may have known the directory by a name when something was renamed over that.
    private func wasReplaced(_ node: Node) -> Bool {
        let places = node.places
        return places.contains { place in
            guard let time = replaced[OwnChanges.Key(place.parent.id, place.name)] else { return false }
            return !places.contains { $0.wasTold(after: place, before: time) }
        }
    }

    /// Where the directory stands, of all places that it was seen at: another one may stand at the last. One that
    /// its path leads to comes before others.
    func standing(of node: Node) -> (place: Place, survey: Survey)? {
        var found: (Place, Survey)?
        for place in node.places {
            guard let survey = lookAgain(at: place), survey.shows(node) else { continue }
            if union.isFoundByPath(place.parent) { return (place, survey) }
            found = found ?? (place, survey)
        }
        return found
    }

    /// Drops all that the kernel keeps below directories that changed as a whole: what is in use there
    /// outlives the drop of their own names.
    mutating func dropContents() {
        var pending = changed.union(gone)
        guard !pending.isEmpty else { return }
        var seen = pending
        let nodes = table.all
        while !pending.isEmpty {
            var below: Set<NodeID> = []
            for node in nodes {
                for place in node.places where pending.contains(place.parent.id) {
                    drop(place.parent.id, place.name)
                    guard node.isDirectory, !gone.contains(place.parent.id) else { continue }
                    below.insert(node.id)
                    if mayJudge(node, in: place.parent), hasOtherFloor(node, at: place) {
                        dropNames(of: node)
                    }
                }
            }
            for directory in pending { drop(directory, content: true) }
            pending = below.subtracting(seen)
            seen.formUnion(pending)
        }
    }

    /// A mark above may have begun or ceased to end the search for what backs the directory: then it is left,
    /// wherever it is known. Who stands in it doesn't ask for its name again.
    private func hasOtherFloor(_ node: Node, at place: Place) -> Bool {
        guard let survey = lookAgain(at: place), survey.shows(node) else { return false }
        let floor = survey.floor(in: place.parent)
        return node.state.withLock { state in
            if state.floor == floor { return false }
            state.leave(floor)
            return true
        }
    }
}

extension Survey {
    /// Whether the node's real directory is one of those that make the object up.
    func shows(_ node: Node) -> Bool {
        visible.contains { node.identity.matches($0.status) }
    }
}

extension Node.State {
    /// The directory isn't what it was told as. Who asks for its name gets a new node; this one is for who stands
    /// in it.
    fileprivate mutating func leave(_ floor: Int) {
        isCached = false
        endings &+= 1
        layersTold = Survey.madeOfOthers
        self.floor = floor
    }
}

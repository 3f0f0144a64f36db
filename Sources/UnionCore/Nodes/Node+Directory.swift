internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// What a union directory is made of, and which of its names the kernel was told.

extension Node {
    var makeup: Makeup { state.withLock { $0.makeup } }

    /// What the directory that it is in was made of when its name was settled last, or told first (`Makeup.backings`).
    var settledIn: UInt64 { state.withLock { $0.settledIn } }

    func settle(in backings: UInt64) { state.withLock { $0.settledIn = backings } }

    /// The lowest layer that may back the directory: complete marks on it, and on those above it, end the search there.
    var floor: Int {
        var floor = Int.max
        var current = self
        for _ in 0..<deepest {
            let (own, place, isMoved) = current.state.withLock { state in
                (state.makeup.floor, state.place, state.makeup.redirections.contains(where: \.isAbsolute))
            }
            floor = min(floor, own)
            // A mark leads away from what is above; what counts there was asked when it was followed.
            guard let place, !isMoved else { break }
            current = place.parent
        }
        return floor
    }

    /// The directory is made of these from now on. `begun`: when that was looked at; what is newer stays. `mayGrow`: what is
    /// new among these is watched, or nothing of the directory is kept soon.
    func note(_ makeup: Makeup, _ owner: DirectoryOwner, begun: UInt64, mayGrow: Bool) -> MakeupNoting {
        state.withLock { state in
            guard state.madeAt <= begun else { return .outdated }
            // In one step with the writing: another thread may just have begun to keep what it holds.
            guard mayGrow || !state.isCached || makeup.isWithin(state.makeup) else { return .unwatched }
            defer { state.note(makeup, owner, begun) }
            return .taken(before: state.owner)
        }
    }

    /// Nothing below `layer` backs the directory any more, as of `now`.
    func lowerFloor(to layer: Int, at now: UInt64) {
        state.withLock { state in
            var makeup = state.makeup
            makeup.lower(floor: layer)
            state.makeup = makeup
            state.madeAt = now
        }
    }

    /// A client has removed it, or put something in its place: to the kernel it is dead, whatever became of it.
    var isDead: Bool { state.withLock { $0.isDead } }

    func die() { state.withLock { $0.isDead = true } }

    /// What the kernel may know the name as; nil: as nothing, or not at all.
    func told(_ name: PathRef) -> Place? { state.withLock { $0.names.find(name) } }

    /// What the kernel may know the directory's names as.
    var toldNames: [Place] { state.withLock { $0.names.all } }

    /// Whether the kernel may remember names in the directory as missing.
    var mayKnowAbsent: Bool { state.withLock { $0.mayKnowAbsent } }

    /// Whether the kernel knows the directory by its name at its place, as far as anybody can say.
    var isToldAtItsPlace: Bool {
        guard let place else { return false }
        return place.parent.told(place.name)?.node == id
    }

    /// A look that was begun before this isn't told any more: what the kernel knows of names in here was decided or changed
    /// since.
    func outdateLooks(at now: UInt64) { state.withLock { $0.looksCountFrom = now } }
}

/// What became of a look at what a directory is made of.
enum MakeupNoting {
    case taken(before: DirectoryOwner?)
    /// What is known is younger.
    case outdated
    /// What the directory holds is kept, and something is part of it now that nobody watches yet.
    case unwatched
}

/// What became of a name's telling.
enum Telling {
    /// `displaced`: the kernel knew another one by the name.
    case told(Place, displaced: Place?)
    /// What was told or decided meanwhile is younger than the look.
    case outdated
    /// Something else was told than was expected.
    case changed
}

extension Node {
    /// The kernel is about to be told `child` under the name, by a look that was begun at that time; `.max`: whatever was
    /// told meanwhile. `expected`: what must have been told before, where that matters.
    func tell(
        _ name: PathRef, _ child: Node, layer: Int, begun: UInt64, expecting expected: Place?? = nil
    ) -> Telling {
        state.withLock { state in
            // In one step with the writing: who has decided sees what was written before, or is seen here.
            guard state.looksCountFrom <= begun else { return .outdated }
            let known = state.names.find(name)
            if let expected, expected?.node != known?.node { return .changed }
            if let known, known.told > begun { return .outdated }
            let told = begun == .max ? known?.told ?? 0 : begun
            if let known, known.node == child.id, known.layer == layer {
                known.noteTold(told)
                return .told(known, displaced: nil)
            }
            let place = Place(of: child, in: self, name, layer: layer, told: told)
            if let known, known.node != child.id {
                // A file may be on its way to the kernel in a listing, too: nobody knows which answer it takes in last.
                if known.isDirectory { state.doubts.add(known) } else { place.contest() }
            }
            let displaced = state.names.set(place)
            return .told(place, displaced: displaced)
        }
    }

    /// The kernel is about to be told that there is nothing of that name, by a look that was begun at that time. False:
    /// what was decided meanwhile is younger; such an answer mustn't be kept.
    func tellAbsent(_ name: PathRef, begun: UInt64) -> Bool {
        state.withLock { state in
            guard state.looksCountFrom <= begun else { return false }
            state.mayKnowAbsent = true
            guard let known = state.names.find(name) else { return true }
            guard known.isDirectory else {
                known.contest()
                return true
            }
            // The kernel asks where it has nothing.
            state.names.remove(name)
            state.doubts.add(known)
            known.withdraw()
            return true
        }
    }

    /// The kernel knows nothing by the name any more, or is about to be told so. Returns what it knew.
    func untell(_ name: PathRef) -> Place? {
        let place = state.withLock { $0.names.remove(name) }
        place?.withdraw()
        return place
    }

    /// That very place isn't known any more.
    func untell(_ place: Place) {
        state.withLock { $0.names.remove(place) }
        place.withdraw()
    }

    /// A client has taken the name away: the kernel knows that there is nothing. Returns what it knew before.
    func noteTakenAway(_ name: PathRef) -> Place? {
        state.withLock { $0.mayKnowAbsent = true }
        return untell(name)
    }

    /// A client has put a node there, whatever stood or stands there. Returns what the kernel knew before.
    func notePut(_ place: Place) -> Place? { state.withLock { $0.names.set(place) } }
}

// Doubts.
extension Node {
    /// The directories that the kernel may still know by the name, besides the one that it was told last.
    func doubts(of name: PathRef) -> [NodeID] { state.withLock { $0.doubts.nodes(of: name) } }

    /// The name is about to be dropped: returns what the kernel was told by it, if anything. Until that is through, it
    /// may know it still.
    func beginDrop(_ name: PathRef) -> Place? {
        let place = state.withLock { state in
            let place = state.names.remove(name)
            if let place, place.isDirectory { state.doubts.add(place) }
            return place
        }
        place?.withdraw()
        return place
    }

    /// The kernel knows none of these by that name.
    func endDoubts(_ nodes: [NodeID], of name: PathRef) {
        if !nodes.isEmpty { state.withLock { $0.doubts.remove(nodes, of: name) } }
    }
}

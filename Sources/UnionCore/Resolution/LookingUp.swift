internal import LinuxSystem
internal import SystemPackage

// A name in the layers that back a directory, looked up top to bottom.
extension Resolver {
    /// Looks the name up in each layer of the view. With `all`, goes on below the object to what it hides.
    /// `filtered`: leaves out the directories of a shared view that didn't have the name when the view was
    /// got. What was put there since isn't found: its event comes later. `toRemove`: an orphan that a client
    /// has emptied counts, too. EPERM: a part of the object can't be had (`Obstacle`).
    func lookup(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node, all: Bool = false,
        filtered: Bool = false, toRemove: Bool = false
    ) throws(Errno) -> NameLookup {
        let lookup = try lookupAll(
            view, name, in: directory, all: all, filtered: filtered, toRemove: toRemove)
        guard let obstacle = lookup.obstacle else { return lookup }
        noticeObstacle(obstacle, at: name, in: directory)
        throw .notPermitted
    }

    /// Looks the name up, and doesn't fail where a part can't be had.
    private func lookupAll(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node, all: Bool, filtered: Bool,
        toRemove: Bool
    ) throws(Errno) -> NameLookup {
        try undivided(
            { $0.concerns(name, in: directory) },
            { _ throws(Errno) -> NameLookup in
                try dividedLookup(
                    view, name, in: directory, all: all, filtered: filtered, toRemove: toRemove)
            })
    }

    /// Looks the name up, perhaps in the midst of a merged directory's rename.
    func dividedLookup(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node, all: Bool = false,
        filtered: Bool = false, toRemove: Bool = false
    ) throws(Errno) -> NameLookup {
        if let policy = readPolicy(of: name, in: directory, view) {
            let backings = ordered(view.backings, by: policy)
            var lookup = try lookup(backings, view.failure, name, in: directory, all: all, toRemove: toRemove)
            lookup.order = policy
            return lookup
        }
        return try lookup(
            view.backings, view.failure, name, in: directory, all: all,
            filter: filtered ? view.filter : nil, toRemove: toRemove)
    }

    /// The lookup that `explain` tells of. Where a layer failed or a part can't be had, it is what the other
    /// layers have.
    func lookupToExplain(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node
    ) throws(Errno) -> NameLookup {
        do throws(Errno) {
            return try lookupAll(view, name, in: directory, all: true, filtered: false, toRemove: false)
        } catch {
            guard error.isLayerFailure else { throw error }
        }
        do throws(Errno) {
            return try lookupAll(view, name, in: directory, all: false, filtered: false, toRemove: false)
        } catch {
            guard error.isLayerFailure else { throw error }
            var lookup = NameLookup()
            lookup.failure = error
            return lookup
        }
    }

    private func lookup(
        _ backings: [Backing], _ failure: Errno?, _ name: PathRef, in directory: Node,
        all: Bool, filter: SharedView? = nil, toRemove: Bool
    ) throws(Errno) -> NameLookup {
        var tries = 0
        while true {
            let lookup = try lookOnce(
                backings, failure, name, in: directory, all: all, filter: filter, toRemove: toRemove)
            tries += 1
            let isWhole =
                (policies.orphans == .keep || isOfOne(lookup, name, backings))
                && (lookup.isVisible || isMissingAtOnce(lookup, name, backings))
            if isWhole || tries == 64 { return lookup }
        }
    }

    /// Whether the name was missing in all layers at one time. It may have moved from a layer that was still
    /// to be looked at to one that was done, or left out. It was missing if the upper ones still hadn't it after
    /// the last layer was done. (All that were left out hadn't it when the view was got.)
    private func isMissingAtOnce(_ lookup: NameLookup, _ name: PathRef, _ backings: [Backing]) -> Bool {
        guard lookup.layerEntries.isEmpty, !lookup.hasEnded,
            let last = backings.indices.last(where: { mayHave($0, lookup.asked) })
        else { return true }
        for backing in backings[..<last] {
            guard takes(name, backing), coherence.plan.choices[backing.layer.index].mode != .static
            else { continue }
            if (try? backing.directory.status(at: name)) != nil, !layers.isReserved(name, in: backing) {
                return false
            }
        }
        return true
    }

    /// Whether the directory at that position is one of those that may have the name.
    private func mayHave(_ position: Int, _ directories: UInt64) -> Bool {
        position >= 64 || directories >> UInt64(position) & 1 != 0
    }

    /// Whether the name can be anything but a mark in that directory.
    private func takes(_ name: PathRef, _ backing: Backing) -> Bool {
        !(backing.layer.isOCI && name.hasPrefix(OCIName.whiteoutPrefix))
    }

    /// Whether the several calls on the upper's directory all met one directory. Directories that aren't
    /// shown make room for new ones.
    private func isOfOne(_ lookup: NameLookup, _ name: PathRef, _ backings: [Backing]) -> Bool {
        guard let upper = backings.first(where: { $0.layer.isUpper }),
            let layerEntry = lookup.unseen ?? lookup.layerEntries.first(where: { $0.layer === upper.layer }),
            layerEntry.isDirectory
        else { return true }
        guard let now = try? upper.directory.status(at: name) else { return false }
        return ObjectIdentity(layerEntry.status, on: nil).matches(now)
    }

    private func lookOnce(
        _ backings: [Backing], _ failure: Errno?, _ name: PathRef, in directory: Node,
        all: Bool, filter: SharedView?, toRemove: Bool
    ) throws(Errno) -> NameLookup {
        var lookup = NameLookup()
        lookup.begun = coherence.now
        lookup.failure = failure
        // The filter is part of the look. A name that comes to it later comes by a change after the beginning.
        lookup.asked = directories(of: filter, having: name)
        for (position, backing) in backings.enumerated() {
            guard mayHave(position, lookup.asked), takes(name, backing) else { continue }
            let isLowest = position == backings.count - 1
            do throws(Errno) {
                if let layerEntry = try layerEntry(of: name, in: backing, isLowest: isLowest) {
                    try add(layerEntry, name, in: directory, backings, to: &lookup)
                    if lookup.isDecided && !all { break }
                    // What the layers below have by this name belongs to no object.
                    if lookup.redirections.count > 0 { break }
                }
            } catch {
                if lookup.hasEnded {
                    lookup.buriedFailure = error
                    break
                }
                guard error.isLayerFailure else { throw error }
                backing.layer.note(failure: error)
                lookup.failure = error
                break
            }
            if backing.layer.isOCI && layers.isOCIWhiteout(name, in: backing.directory) {
                lookup.end(at: backing.layer)
                if !all { break }
            }
        }
        if let failure = lookup.undecided(all: all) { throw failure }
        guard let position = lookup.skeleton else { return lookup }
        if !isShown(lookup, position, name, backings, toRemove: toRemove) {
            // Then whatever it shuts out shows.
            let isLast = position == lookup.layerEntries.count - 1 && lookup.isDecided && !all
            return isLast
                ? try lookOnce(
                    backings, failure, name, in: directory, all: true, filter: filter, toRemove: toRemove)
                : lookup.leavingOut(position)
        }
        followOrigin(lookup, position, name, backings)
        return lookup
    }

    /// Adds what was found, and what a mark on it leads to.
    private func add(
        _ found: LayerEntry, _ name: PathRef, in directory: Node, _ backings: [Backing],
        to lookup: inout NameLookup
    ) throws(Errno) {
        guard found.marks.leadElsewhere, !lookup.isDecided else { return lookup.add(found) }
        if found.isDirectory {
            lookup.add(found)
            return try followRedirect(found, name, in: directory, backings, &lookup)
        }
        // Below a directory it is hidden.
        guard !lookup.isVisible else { return lookup.add(found) }
        var found = found
        switch try data(of: found, name, in: directory, backings) {
        case .success(let data): found.data = data
        case .failure(let error): lookup.block(found.layer, error.reason)
        }
        lookup.add(found)
    }

    /// What a backing directory has under the name. nil: nothing. `isLed`: a mark leads there.
    func layerEntry(
        of name: PathRef, in backing: Backing, isLowest: Bool, isLed: Bool = false
    ) throws(Errno) -> LayerEntry? {
        let status: FileStatus
        do {
            status = try backing.directory.status(at: name)
        } catch {
            guard cannotHold(error, backing.layer) else { throw error }
            return nil
        }
        if layers.isReserved(name, in: backing) { return nil }
        var marks: Marks = []
        var isWhiteout = status.isWhiteoutDevice
        if status.isDirectory {
            marks = self.marks(of: name, in: backing, isLowest: isLowest)
        } else if status.size == 0 || status.isSymlink {
            isWhiteout = isWhiteout || layers.isOtherWhiteout(name, status, in: backing)
        } else if status.isRegular, isLed || backing.layer.mayHaveMetacopy(status) {
            let found = backing.directory.marks(at: name)
            if found.contains(.metacopy) { marks = found.intersection([.metacopy, .redirect]) }
        }
        return LayerEntry(layer: backing.layer, status: status, isWhiteout: isWhiteout, marks: marks)
    }

    /// Whether the error says that the layer doesn't have the name. It may not have it now, or may never have
    /// it because its filesystem takes no such names: too long ones, bytes that it can't store, dots on
    /// bpffs.
    private func cannotHold(_ error: Errno, _ layer: Layer) -> Bool {
        switch error {
        case .noSuchFileOrDirectory, .fileNameTooLong, .invalidArgument: true
        case .notPermitted: layer.filesystem.type == .bpf
        default: false
        }
    }

    /// The marks of the name in a layer that count there. Only the upper has skeletons. The lowest layer has
    /// nothing below it to shut out, but may have lost what a mark leads to.
    private func marks(of name: PathRef, in backing: Backing, isLowest: Bool) -> Marks {
        if isLowest && !backing.layer.isUpper && backing.layer.filesystem.isPseudo { return [] }
        var marks = layers.marks(of: name, in: backing.directory)
        backing.layer.note(marks)
        marks.subtract([.holder, .metacopy, .copiedUp])
        if marks.contains(.complete) { marks.remove(.redirect) }
        if isLowest && !backing.layer.isUpper { return marks.intersection(.redirect) }
        if !backing.layer.isUpper { marks.remove(.skeleton) }
        if backing.layer.isOCI && layers.isOCIOpaque(name, in: backing.directory) { marks.insert(.complete) }
        return marks
    }

    /// What backs the directory that the view is of, as if the directory had been looked up. The marks are
    /// those of the upper only.
    func lookup(of view: borrowing DirectoryView) throws(Errno) -> NameLookup {
        var lookup = NameLookup()
        lookup.failure = view.failure
        lookup.reserve(view.count)
        for backing in view.backings {
            let status: FileStatus
            do {
                status = try backing.directory.status()
            } catch {
                guard error.isLayerFailure, lookup.isVisible else { throw error }
                backing.layer.note(failure: error)
                lookup.failure = error
                break
            }
            let marks: Marks =
                backing.layer.isUpper && !backing.isRoot
                ? layers.marks(of: backing).intersection(.skeleton) : []
            lookup.add(LayerEntry(layer: backing.layer, status: status, isWhiteout: false, marks: marks))
        }
        if let position = lookup.skeleton { followOrigin(lookup, position, "", view.backings) }
        return lookup
    }
}

extension Resolver {
    /// Posts a notice that a mark can't be followed. It does so once for a layer and reason: there may be
    /// thousands of such marks.
    func noticeObstacle(_ obstacle: Obstacle, at name: PathRef, in directory: Node) {
        layers.notices.post(
            .notFollowed(
                path: (try? path(of: name, in: directory))?.string ?? name.string,
                layer: obstacle.layer.index, obstacle.reason),
            once: "\(obstacle.layer.index) \(obstacle.reason)")
    }

    /// The order in which layers are asked for a name. nil: top to bottom, as no rule wants another order.
    func readPolicy(
        of name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) -> ReadPolicy? {
        guard let selector = policies.selector, view.count > 1,
            let path = try? path(of: name, in: directory),
            case .read(let policy) = selector.choose(.read, path: path.ref)
        else { return nil }
        return policy == .upperFirst ? nil : policy
    }

    func ordered(_ backings: [Backing], by policy: ReadPolicy) -> [Backing] {
        backings.sorted { policy.rank(of: $0.layer) < policy.rank(of: $1.layer) }
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// NAME_MAX: the kernel lets longer names through to a FUSE server.
let longestName = 255

/// Bytes; deeper than any tree that can be walked.
let longestPath = 1 << 20

/// Directories above one another, where places are followed: they may go round in a circle.
let deepest = 4096

// From nodes and names to what the layers hold: every operation starts here.
extension Union {
    /// The node with that number. ESTALE: the kernel names what it was never told.
    func node(_ id: NodeID) throws(Errno) -> Node {
        guard let node = table.find(id) else { throw .staleNFSFileHandle }
        return node
    }

    /// Refuses what can't be a name anywhere, and what would lead elsewhere: a path.
    func check(_ name: PathRef) throws(Errno) {
        if name.count > longestName { throw .fileNameTooLong }
        if name.isEmpty || name.isDots || name.holdsSlash { throw .invalidArgument }
    }

    /// The union path of a node, relative to the root; the empty path is the root's. With `layer` the path below that
    /// layer's root, which marks of overlayfs may have made another one. ESTALE: it has no name.
    func path(of node: Node, in layer: Layer? = nil) throws(Errno) -> PathBuffer {
        var path = PathBuffer()
        try prependPath(of: node, in: layer?.index, to: &path)
        return path
    }

    func prependPath(of node: Node, in layer: Int? = nil, to path: inout PathBuffer) throws(Errno) {
        let layer = redirects.load(ordering: .relaxed) ? layer : nil
        var current = node
        while !current.isRoot {
            // Places are where things were seen, and two of them need not have been true at one time: they may
            // go round in a circle.
            guard let place = current.place, path.count < longestPath else { throw .staleNFSFileHandle }
            if let layer, let way = current.redirection(in: layer) {
                let elsewhere = OwnedName(way.path)
                path.prepend(elsewhere.ref)
                if way.isAbsolute { return }
            } else {
                path.prepend(place.name)
            }
            current = place.parent
        }
    }

    /// The real directories that back `node` now. ENOENT: it is gone, or another one stands in its place.
    func view(of node: Node) throws(Errno) -> DirectoryView {
        guard node.isDirectory else { throw .notDirectory }
        if node.isRoot { return DirectoryView(rootView) }
        if coherence.plan.isLasting, let view = keptView(of: node) ?? makeKeptView(of: node) {
            return DirectoryView(view)
        }
        return try walkedView(of: node)
    }

    /// The same for a request that names something in the directory. ESTALE, upon which the kernel walks the path again,
    /// where the caller may have come by a name that was the directory's until now.
    ///
    /// `isLookup`: mkdir(2) and its like walk again upon ESTALE from the change, and not upon ESTALE from the lookup that
    /// comes before it.
    func view(
        of node: Node, for caller: CallerIdentity, isLookup: Bool = false
    ) throws(Errno) -> DirectoryView {
        do throws(Errno) {
            return try view(of: node)
        } catch {
            guard error == .noSuchFileOrDirectory, !node.isDead else { throw error }
            lookAgain(at: node)
            if isLookup, makesName(thread: caller.pid) {
                held.begin()
                throw error
            }
            guard staleAnswers.mustSay(to: caller.pid, node.id) else { throw error }
            held.begin()
            throw .staleNFSFileHandle
        }
    }

    /// The same where what was told a moment ago will do: the caller reached the directory before a stranger moved it.
    func viewToLook(
        of node: Node, for caller: CallerIdentity, isLookup: Bool = false
    ) throws(Errno) -> DirectoryView {
        if let held = try? viewToLook(of: node) { return held }
        return try view(of: node, for: caller, isLookup: isLookup)
    }

    func viewToLook(of node: Node) throws(Errno) -> DirectoryView {
        do throws(Errno) {
            return try view(of: node)
        } catch {
            if error == .noSuchFileOrDirectory, let held = heldView(of: node) { return held }
            throw error
        }
    }

    /// The directory isn't where it was seen. A kernel that asks by it all the same either has it open, or has a name
    /// that should have been dropped: then it would fail there for ever.
    private func lookAgain(at node: Node) {
        guard coherence.plan.isLasting, node.isToldAtItsPlace, let place = node.place else { return }
        coherence.invalidator.appendName(place.parent.id, place.name)
    }

    /// The same by walking to it.
    func walkedView(of node: Node) throws(Errno) -> DirectoryView {
        let view = try placedView(of: node)
        if isEmptyOrphan(node, view) { throw .noSuchFileOrDirectory }
        return view
    }

    /// The same, whether it is shown or not.
    func placedView(of node: Node) throws(Errno) -> DirectoryView {
        return try withStablePlaces { () throws(Errno) -> DirectoryView in
            try undivided(
                { $0.concerns(node) }, { _ throws(Errno) -> DirectoryView in try dividedView(of: node) })
        }
    }

    /// The same, perhaps in the midst of a merged directory's rename.
    private func dividedView(of node: Node) throws(Errno) -> DirectoryView {
        guard !node.isDead, let path = try? path(of: node) else { throw .noSuchFileOrDirectory }
        var view = try openView(of: node, at: path.ref)
        var tries = 0
        while policies.orphans == .hide, !leaveOutUnseen(&view, of: node, at: path.ref), tries < 64 {
            view = try openView(of: node, at: path.ref)
            tries += 1
        }
        guard continues(node, as: view) else { throw view.failure ?? .noSuchFileOrDirectory }
        return view
    }

    private func openView(of node: Node, at path: PathRef) throws(Errno) -> DirectoryView {
        let floor = node.floor
        let isRedirected = isRedirected(node)
        var view = DirectoryView()
        for layer in stack.layers where layer.index <= floor {
            do throws(Errno) {
                if isRedirected {
                    let path = try self.path(of: node, in: layer)
                    view.append(layer, try layer.openDirectory(at: path.ref))
                } else {
                    view.append(layer, try layer.openDirectory(at: path))
                }
                layer.note(failure: nil)
            } catch {
                switch error {
                case .noSuchFileOrDirectory: continue
                // A server that isn't root, and a directory that it may not search: not there for it.
                case .permissionDenied: continue
                case .notDirectory, .tooManySymbolicLinkLevels: return view
                case let failure where failure.isLayerFailure:
                    layer.note(failure: failure)
                    view.failure = failure
                    return view
                default: throw error
                }
            }
        }
        return view
    }

    /// Looks the name up in each layer of the view. With `all`, goes on below the object to what it hides.
    /// `having`: a bit for each directory that may have the name. EPERM: a part of it can't be had (`Obstacle`).
    /// `toRemove`: an orphan that a client has emptied counts.
    func survey(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node, all: Bool = false,
        having: UInt64 = .max, toRemove: Bool = false
    ) throws(Errno) -> Survey {
        let survey = try surveyAll(
            view, name, in: directory, all: all, having: having, toRemove: toRemove)
        guard let obstacle = survey.obstacle else { return survey }
        note(obstacle, at: name, in: directory)
        throw .notPermitted
    }

    /// The same, whatever can't be had.
    private func surveyAll(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node, all: Bool, having: UInt64,
        toRemove: Bool
    ) throws(Errno) -> Survey {
        try undivided(
            { $0.concerns(name, in: directory) },
            { _ throws(Errno) -> Survey in
                try dividedSurvey(view, name, in: directory, all: all, having: having, toRemove: toRemove)
            })
    }

    /// The same, perhaps in the midst of a merged directory's rename.
    func dividedSurvey(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node, all: Bool = false,
        having: UInt64 = .max, toRemove: Bool = false
    ) throws(Errno) -> Survey {
        if let policy = readPolicy(of: name, in: directory, view) {
            let backings = ordered(view.backings, by: policy)
            var survey = try survey(backings, view.failure, name, in: directory, all: all, toRemove: toRemove)
            survey.order = policy
            return survey
        }
        return try survey(
            view.backings, view.failure, name, in: directory, all: all, having: having, toRemove: toRemove)
    }

    /// The same to tell about it: where a layer failed or a part can't be had, what the others have.
    func surveyToExplain(
        _ view: borrowing DirectoryView, _ name: PathRef, in directory: Node
    ) throws(Errno) -> Survey {
        do throws(Errno) {
            return try surveyAll(view, name, in: directory, all: true, having: .max, toRemove: false)
        } catch {
            guard error.isLayerFailure else { throw error }
        }
        do throws(Errno) {
            return try surveyAll(view, name, in: directory, all: false, having: .max, toRemove: false)
        } catch {
            guard error.isLayerFailure else { throw error }
            var survey = Survey()
            survey.failure = error
            return survey
        }
    }

    private func survey(
        _ backings: [DirectoryView.Backing], _ failure: Errno?, _ name: PathRef, in directory: Node,
        all: Bool, having: UInt64 = .max, toRemove: Bool
    ) throws(Errno) -> Survey {
        var tries = 0
        while true {
            let survey = try looks(
                backings, failure, name, in: directory, all: all, having: having, toRemove: toRemove)
            tries += 1
            if policies.orphans == .keep || isOfOne(survey, name, backings) || tries == 64 { return survey }
        }
    }

    /// Whether what was asked of the upper's directory in several calls was asked of one: such that aren't shown make
    /// room for new ones.
    private func isOfOne(_ survey: Survey, _ name: PathRef, _ backings: [DirectoryView.Backing]) -> Bool {
        guard let upper = backings.first(where: { $0.layer.isUpper }),
            let standing = survey.unseen ?? survey.standings.first(where: { $0.layer === upper.layer }),
            standing.isDirectory
        else { return true }
        guard let now = try? upper.directory.status(at: name) else { return false }
        return ObjectIdentity(standing.status, on: nil).matches(now)
    }

    private func looks(
        _ backings: [DirectoryView.Backing], _ failure: Errno?, _ name: PathRef, in directory: Node,
        all: Bool, having: UInt64, toRemove: Bool
    ) throws(Errno) -> Survey {
        var survey = Survey()
        survey.begun = coherence.now
        survey.failure = failure
        for (position, backing) in backings.enumerated() {
            if position < 64, having >> UInt64(position) & 1 == 0 { continue }
            if backing.layer.isOCI && name.hasPrefix(OCIName.whiteoutPrefix) { continue }
            let isLowest = position == backings.count - 1
            do throws(Errno) {
                if let standing = try standing(of: name, in: backing, isLowest: isLowest) {
                    try add(standing, name, in: directory, backings, to: &survey)
                    if survey.isDecided && !all { break }
                    // What the layers below have by this name belongs to nobody.
                    if survey.redirections.count > 0 { break }
                }
            } catch {
                if survey.hasEnded {
                    survey.buriedFailure = error
                    break
                }
                guard error.isLayerFailure else { throw error }
                backing.layer.note(failure: error)
                survey.failure = error
                break
            }
            if backing.layer.isOCI && isOCIWhiteout(name, in: backing.directory) {
                survey.end(at: backing.layer)
                if !all { break }
            }
        }
        if let failure = survey.undecided(all: all) { throw failure }
        guard let position = survey.skeleton else { return survey }
        if !isShown(survey, position, name, backings, toRemove: toRemove) {
            // Then what it shuts out shows.
            let isLast = position == survey.standings.count - 1 && survey.isDecided && !all
            return isLast
                ? try looks(
                    backings, failure, name, in: directory, all: true, having: having, toRemove: toRemove)
                : survey.leavingOut(position)
        }
        followOrigin(survey, position, name, backings)
        return survey
    }

    /// Adds what was found, and what a mark on it leads to.
    private func add(
        _ found: Standing, _ name: PathRef, in directory: Node, _ backings: [DirectoryView.Backing],
        to survey: inout Survey
    ) throws(Errno) {
        guard found.marks.leadElsewhere, !survey.isDecided else { return survey.add(found) }
        if found.isDirectory {
            survey.add(found)
            return try followRedirect(found, name, in: directory, backings, &survey)
        }
        // Below a directory it is hidden.
        guard !survey.isVisible else { return survey.add(found) }
        var found = found
        switch try data(of: found, name, in: directory, backings) {
        case .success(let data): found.data = data
        case .failure(let error): survey.block(found.layer, error.reason)
        }
        survey.add(found)
    }

    /// What a backing directory has under the name; nil: nothing. `isLed`: a mark leads there.
    func standing(
        of name: PathRef, in backing: DirectoryView.Backing, isLowest: Bool, isLed: Bool = false
    ) throws(Errno) -> Standing? {
        let status: FileStatus
        do {
            status = try backing.directory.status(at: name)
        } catch {
            guard cannotHold(error, backing.layer) else { throw error }
            return nil
        }
        if isReserved(name, in: backing) { return nil }
        var marks: Marks = []
        var isWhiteout = status.isWhiteoutDevice
        if status.isDirectory {
            marks = self.marks(of: name, in: backing, isLowest: isLowest)
        } else if status.size == 0 || status.isSymlink {
            isWhiteout = isWhiteout || isOtherWhiteout(name, status, in: backing)
        } else if status.isRegular, isLed || backing.layer.mayHaveMetacopy(status) {
            let found = backing.directory.marks(at: name)
            if found.contains(.metacopy) { marks = found.intersection([.metacopy, .redirect]) }
        }
        return Standing(layer: backing.layer, status: status, isWhiteout: isWhiteout, marks: marks)
    }

    /// Whether the error says that the layer has nothing of that name: now, or ever, as its filesystem takes
    /// no such names (too long for it, bytes that it can't store; dots on bpffs).
    private func cannotHold(_ error: Errno, _ layer: Layer) -> Bool {
        switch error {
        case .noSuchFileOrDirectory, .fileNameTooLong, .invalidArgument: true
        case .notPermitted: layer.filesystem.type == .bpf
        default: false
        }
    }

    /// Only the upper has skeletons. The lowest layer has nothing below it to shut out, but may have lost what a mark
    /// leads to.
    private func marks(of name: PathRef, in backing: DirectoryView.Backing, isLowest: Bool) -> Marks {
        if isLowest && !backing.layer.isUpper && backing.layer.filesystem.isPseudo { return [] }
        var marks = self.marks(of: name, in: backing.directory)
        backing.layer.note(marks)
        marks.subtract([.holder, .metacopy, .copiedUp])
        if marks.contains(.complete) { marks.remove(.redirect) }
        if isLowest && !backing.layer.isUpper { return marks.intersection(.redirect) }
        if !backing.layer.isUpper { marks.remove(.skeleton) }
        if backing.layer.isOCI && isOCIOpaque(name, in: backing.directory) { marks.insert(.complete) }
        return marks
    }

    /// What backs the directory that the view is of, as if it had been looked up. `marksOf` the upper only.
    func survey(of view: borrowing DirectoryView) throws(Errno) -> Survey {
        var survey = Survey()
        survey.failure = view.failure
        for backing in view.backings {
            let status: FileStatus
            do {
                status = try backing.directory.status()
            } catch {
                guard error.isLayerFailure, survey.isVisible else { throw error }
                backing.layer.note(failure: error)
                survey.failure = error
                break
            }
            let marks: Marks =
                backing.layer.isUpper && !backing.isRoot
                ? self.marks(of: backing).intersection(.skeleton) : []
            survey.add(Standing(layer: backing.layer, status: status, isWhiteout: false, marks: marks))
        }
        if let position = survey.skeleton { followOrigin(survey, position, "", view.backings) }
        return survey
    }

    /// Opens a node's real object, O_PATH, by any of its names, an open file or what was kept of it.
    /// ESTALE, upon which the kernel walks the path again: it isn't where it was.
    func object(of node: Node) throws(Errno) -> LocatedObject {
        if node.isDirectory { return try directoryObject(of: node) }
        do {
            return try withStablePlaces { () throws(Errno) -> LocatedObject in
                try namedObject(of: node)
            }
        } catch .staleNFSFileHandle {
            return try namelessObject(of: node)
        }
    }

    private func namedObject(of node: Node) throws(Errno) -> LocatedObject {
        if let place = node.place, let found = try objectIfThere(node, at: place) { return found }
        for place in node.otherPlaces {
            guard let found = try objectIfThere(node, at: place) else { continue }
            node.prefer(place)
            return found
        }
        throw .staleNFSFileHandle
    }

    private func objectIfThere(_ node: Node, at place: Place) throws(Errno) -> LocatedObject? {
        do {
            return try object(of: node, at: place)
        } catch .noSuchFileOrDirectory, .staleNFSFileHandle, .notDirectory, .tooManySymbolicLinkLevels {
            return nil
        }
    }

    /// What was unlinked lives on as long as somebody has it open or the kernel refers to it.
    private func namelessObject(of node: Node) throws(Errno) -> LocatedObject {
        if let handle = node.state.withLock({ $0.openFiles })?.anyHandle {
            return try LocatedObject(layer: stack[handle.layer], open: handle.object.duplicated())
        }
        return try parkedObject(of: node)
    }

    func parkedObject(of node: Node) throws(Errno) -> LocatedObject {
        // Somebody else may end its parking: a descriptor of one's own is taken with the lock held.
        let copy: OwnedDescriptor? = node.state.withLock { state in
            guard let parked = state.parked else { return nil }
            return try? parked.duplicated()
        }
        if let copy { return try LocatedObject(layer: stack[0], open: copy) }
        if !node.isDirectory, let found = try heldObject(of: node) { return found }
        held.begin()
        throw .staleNFSFileHandle
    }

    private func object(of node: Node, at place: Place) throws(Errno) -> LocatedObject {
        var path = PathBuffer()
        path.prepend(place.name)
        try prependPath(of: place.parent, in: place.layer, to: &path)
        let object = try stack[place.layer].openObject(at: path.ref)
        let status = try object.descriptor.status()
        guard node.isOf(status) else { throw .staleNFSFileHandle }
        return LocatedObject(layer: stack[place.layer], object: object, status: status)
    }

    /// The owner's directory; of one that a client has removed, what is left of it.
    private func directoryObject(of node: Node) throws(Errno) -> LocatedObject {
        do throws(Errno) {
            let view = try view(of: node)
            guard let owner = try survey(of: view).owner,
                let directory = view.directory(in: owner.layer.index)
            else { throw .noSuchFileOrDirectory }
            return LocatedObject(
                layer: owner.layer, object: try directory.duplicated(), status: owner.status)
        } catch .noSuchFileOrDirectory {
            return try parkedObject(of: node)
        }
    }

    /// Makes an attempt that goes by names again when a rename through the union got in its way.
    func withStablePlaces<R: ~Copyable>(_ attempt: () throws(Errno) -> R) throws(Errno) -> R {
        var tries = 0
        while true {
            let before = renames.snapshot()
            do {
                return try attempt()
            } catch {
                guard error == .noSuchFileOrDirectory || error == .staleNFSFileHandle, tries < Self.mostTries,
                    renames.happened(since: before, tries: tries)
                else { throw error }
                tries += 1
            }
        }
    }

    /// A rename that is under way may wait for a slow layer, or for a processor: a second, then it is taken for stuck.
    private static var mostTries: Int { 1000 }
}

extension FileDescriptor {
    /// A descriptor of one's own for the same open file.
    func duplicated() throws(Errno) -> OwnedDescriptor {
        let borrowed = OwnedDescriptor(owning: self)
        do {
            let copy = try borrowed.duplicate()
            _ = borrowed.release()
            return copy
        } catch {
            _ = borrowed.release()
            throw error
        }
    }
}

/// A real object, open (O_PATH), and the layer that it is in.
struct LocatedObject: ~Copyable {
    let layer: Layer
    let object: OwnedDescriptor
    /// As it was when the object was found.
    let status: FileStatus

    init(layer: Layer, object: consuming OwnedDescriptor, status: FileStatus) {
        self.layer = layer
        self.object = object
        self.status = status
    }

    init(layer: Layer, open object: consuming OwnedDescriptor) throws(Errno) {
        status = try object.descriptor.status()
        self.layer = layer
        self.object = object
    }

    var descriptor: FileDescriptor { object.descriptor }
}

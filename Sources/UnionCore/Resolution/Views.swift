internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// From nodes and names to what the layers hold: every operation starts here.
extension Resolver {
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
            guard let alias = current.alias, path.count < longestPath else { throw .staleNFSFileHandle }
            if let layer, let way = current.redirection(in: layer) {
                let elsewhere = OwnedName(way.path)
                path.prepend(elsewhere.ref)
                if way.isAbsolute { return }
            } else {
                path.prepend(alias.name)
            }
            current = alias.parent
        }
    }

    /// The real directories that back `node` now. ENOENT: it is gone, or another one stands in its place.
    func view(of node: Node) throws(Errno) -> DirectoryView {
        guard node.isDirectory else { throw .notDirectory }
        if node.isRoot { return DirectoryView(rootView) }
        if coherence.plan.isLasting, let view = cachedView(of: node) ?? cacheView(of: node) {
            return DirectoryView(view)
        }
        return try walkedView(of: node)
    }

    /// The same for a request that names something in the directory. ESTALE, upon which the kernel walks the path again,
    /// where the caller may have come by a name that was the directory's until now.
    ///
    /// `name`: what is looked up. mkdir(2) and its like walk again upon ESTALE from the change, and not upon ESTALE from
    /// the lookup that comes before it.
    func view(
        of node: Node, for caller: CallerIdentity, lookingUp name: PathRef? = nil
    ) throws(Errno) -> DirectoryView {
        do throws(Errno) {
            let view = try view(of: node)
            staleAnswers.forget(caller.pid)
            return view
        } catch {
            guard error == .noSuchFileOrDirectory, !node.isDead else { throw error }
            queueLook(at: node)
            if name != nil, makesName(thread: caller.pid) {
                held.begin()
                throw error
            }
            if name == nil, let view = viewSoon(of: node) { return view }
            let mayCheckOnly = name.map { node.reported($0) != nil } ?? false
            guard staleAnswers.mustSay(to: caller.pid, node.id, mayCheckOnly: mayCheckOnly) else {
                throw error
            }
            held.begin()
            throw .staleNFSFileHandle
        }
    }

    /// The same within two milliseconds, where ESTALE was said a moment ago: the kernel walks once more for a change, and not
    /// twice. Directories that are exchanged without a pause come back.
    private func viewSoon(of node: Node) -> DirectoryView? {
        guard held.isActive else { return nil }
        for _ in 0..<20 {
            usleep(100)
            if let view = try? view(of: node) { return view }
        }
        return nil
    }

    /// The same where what was told a moment ago will do: the caller reached the directory before a stranger moved it.
    func viewToLook(
        of node: Node, for caller: CallerIdentity, lookingUp name: PathRef? = nil
    ) throws(Errno) -> DirectoryView {
        if let view = try? viewToLook(of: node) {
            staleAnswers.forget(caller.pid)
            return view
        }
        return try view(of: node, for: caller, lookingUp: name)
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
    private func queueLook(at node: Node) {
        guard coherence.plan.isLasting, node.isReportedAtItsAlias, let alias = node.alias else { return }
        coherence.invalidations.appendName(alias.parent.id, alias.name)
    }

    /// The same by walking to it.
    func walkedView(of node: Node) throws(Errno) -> DirectoryView {
        let view = try viewAtAlias(of: node)
        if isEmptyOrphan(node, view) { throw .noSuchFileOrDirectory }
        return view
    }

    /// The same, whether it is shown or not.
    func viewAtAlias(of node: Node) throws(Errno) -> DirectoryView {
        return try withStableAliases { () throws(Errno) -> DirectoryView in
            try undivided(
                { $0.concerns(node) }, { _ throws(Errno) -> DirectoryView in try dividedView(of: node) })
        }
    }

    /// The same, perhaps in the midst of a merged directory's rename.
    private func dividedView(of node: Node) throws(Errno) -> DirectoryView {
        guard !node.isDead, let path = try? path(of: node) else { throw .noSuchFileOrDirectory }
        var view = try openView(of: node, at: path.ref)
        // It may have been made in a layer that was looked at already, before it was removed from one that wasn't.
        if view.isEmpty, stack.count > 1 { view = try openView(of: node, at: path.ref) }
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

    /// Makes an attempt that goes by names again when a rename through the union got in its way.
    func withStableAliases<R: ~Copyable>(_ attempt: () throws(Errno) -> R) throws(Errno) -> R {
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

extension Resolver {
    /// The directory may be one of those itself.
    func viewToRemove(in directory: Node) throws(Errno) -> DirectoryView {
        do throws(Errno) {
            return try view(of: directory)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        let view = try viewAtAlias(of: directory)
        guard isEmptyOrphan(directory, view), let skeleton = try view.backings.first?.directory.status(),
            emptied.has(skeleton)
        else { throw .noSuchFileOrDirectory }
        return view
    }

    func path(of name: PathRef, in directory: Node) throws(Errno) -> PathBuffer {
        var path = PathBuffer()
        path.prepend(name)
        try prependPath(of: directory, to: &path)
        return path
    }
}

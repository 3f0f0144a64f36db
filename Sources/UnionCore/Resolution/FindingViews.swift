internal import Glibc
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// From nodes and names to what the layers hold: every operation starts here.
extension Resolver {
    /// The node with that number. ESTALE: the kernel was never told of such a node.
    func node(_ id: NodeID) throws(Errno) -> Node {
        guard let node = table.find(id) else { throw .staleNFSFileHandle }
        return node
    }

    /// Refuses what can't be a name anywhere, and a path, which would lead elsewhere. ENAMETOOLONG: it is too
    /// long. EINVAL: it is no name.
    func check(_ name: PathRef) throws(Errno) {
        if name.count > longestName { throw .fileNameTooLong }
        if name.isEmpty || name.isDots || name.holdsSlash { throw .invalidArgument }
    }

    /// The union path of a node, relative to the root; the root's is empty. With `layer`, the path below that
    /// layer's root, which marks of overlayfs may have changed. ESTALE: the node has no name.
    func path(of node: Node, in layer: Layer? = nil) throws(Errno) -> PathBuffer {
        var path = PathBuffer()
        try prependPath(of: node, in: layer?.index, to: &path)
        return path
    }

    func prependPath(of node: Node, in layer: Int? = nil, to path: inout PathBuffer) throws(Errno) {
        let layer = redirects.load(ordering: .relaxed) ? layer : nil
        var way = WayUp(from: node)
        while !way.node.isRoot {
            let current = way.node
            guard let alias = way.next(), path.count < longestPath else { throw .staleNFSFileHandle }
            if let layer, let redirection = current.redirection(in: layer) {
                let elsewhere = OwnedName(redirection.path)
                path.prepend(elsewhere.ref)
                if redirection.isAbsolute { return }
            } else {
                path.prepend(alias.name)
            }
        }
    }

    /// The real directories that back `node` now. ENOENT: the directory has gone, or another one stands in
    /// its place.
    func view(of node: Node) throws(Errno) -> DirectoryView {
        guard node.isDirectory else { throw .notDirectory }
        if node.isRoot { return DirectoryView(rootView) }
        if coherence.plan.isLasting, let view = cachedView(of: node) ?? cacheView(of: node) {
            return DirectoryView(view)
        }
        return try walkedView(of: node)
    }

    /// The real directories that back `node` now, for a request that names something in it. ENOENT: the
    /// directory has gone. ESTALE instead, upon which the kernel walks the path again, if the caller may have
    /// come by a name that was the directory's until now.
    ///
    /// `name`: what a LOOKUP asks for; nil for a change. Upon ESTALE from the request of mkdir(2) or its like
    /// the kernel walks again; upon ESTALE from the LOOKUP before it, it doesn't. That LOOKUP gets ENOENT.
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

    /// The node's view, if it has one again within two milliseconds. It waits only where a request was
    /// answered with ESTALE a moment ago: for a change the kernel walks once more, and not twice. Directories
    /// that are exchanged without a pause come back.
    private func viewSoon(of node: Node) -> DirectoryView? {
        guard held.isActive else { return nil }
        for _ in 0..<20 {
            usleep(100)
            if let view = try? view(of: node) { return view }
        }
        return nil
    }

    /// The real directories that back `node`, where those reported a moment ago will do: the caller reached
    /// the directory before a stranger moved it.
    func viewToLook(
        of node: Node, for caller: CallerIdentity, lookingUp name: PathRef? = nil
    ) throws(Errno) -> DirectoryView {
        if var view = try? viewToLook(of: node) {
            // What is held doesn't show whether the caller has walked here or stood here all along.
            if view.isHeld { view.heldFor = caller.pid } else { staleAnswers.forget(caller.pid) }
            return view
        }
        return try view(of: node, for: caller, lookingUp: name)
    }

    private func viewToLook(of node: Node) throws(Errno) -> DirectoryView {
        do throws(Errno) {
            return try view(of: node)
        } catch {
            if error == .noSuchFileOrDirectory, let held = heldView(of: node) { return held }
            throw error
        }
    }

    /// Has the notify thread look at the directory's name: the directory isn't where it was seen. If the
    /// kernel asks by it all the same, it has the directory open or keeps a name that should have been
    /// dropped. With such a name it would fail there for ever.
    private func queueLook(at node: Node) {
        guard coherence.plan.isLasting, node.isReportedAtItsAlias, let alias = node.alias else { return }
        coherence.invalidations.appendName(alias.parent.id, alias.name)
    }

    /// The real directories that back `node`, found by a walk to its path. ENOENT: it has gone, or isn't
    /// shown.
    func walkedView(of node: Node) throws(Errno) -> DirectoryView {
        let view = try viewAtAlias(of: node)
        if isEmptyOrphan(node, view) { throw .noSuchFileOrDirectory }
        return view
    }

    /// The real directories at the node's alias, whether the union shows the node or not.
    func viewAtAlias(of node: Node) throws(Errno) -> DirectoryView {
        return try withStableAliases { () throws(Errno) -> DirectoryView in
            try undivided(
                { $0.concerns(node) }, { _ throws(Errno) -> DirectoryView in try dividedView(of: node) })
        }
    }

    /// The real directories at the node's alias, perhaps in the midst of a merged directory's rename.
    private func dividedView(of node: Node) throws(Errno) -> DirectoryView {
        if node.isDead { throw .noSuchFileOrDirectory }
        if !isKnownAllTheWay(node) { return try shownView(of: node) }
        guard let path = try? path(of: node) else { throw .noSuchFileOrDirectory }
        var view = try openView(of: node, at: path.ref)
        // It may have been made in a layer that was done, before it was removed from one that was still to
        // come.
        if view.isEmpty, stack.count > 1 { view = try openView(of: node, at: path.ref) }
        var tries = 0
        while policies.orphans == .hide, !leaveOutUnseen(&view, of: node, at: path.ref), tries < 64 {
            view = try openView(of: node, at: path.ref)
            tries += 1
        }
        view.noteTop()
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
                // The server isn't root and may not search a directory on the way: for the server nothing is
                // there.
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

    /// Repeats an attempt that goes by names if a rename through the union got in its way.
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

    /// A rename under way may wait for a slow layer, or for a processor. After a second it is taken for
    /// stuck.
    private static var mostTries: Int { 1000 }
}

extension Resolver {
    /// The view of a directory in which something is to be removed. The directory may be an orphan that a
    /// client has emptied.
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

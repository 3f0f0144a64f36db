internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Overlayfs's redirects and metacopies, followed as overlayfs does with redirect_dir=follow and metacopy=on.
//
// A mark counts in the layers below the one that has it. The walk in each of these goes name by name, from
// the layer's root or from its part of the parent. It goes through directories alone, so it follows no link
// and leaves no layer.

/// What a layer has where a mark leads.
private enum Led {
    case nothing
    /// The layer has nothing, and nor have the layers below.
    case end
    case found(LayerEntry, from: Redirection?, isLast: Bool)
    case obstacle(RedirectObstacle)
}

extension Resolver {
    /// Adds what the layers below have of the directory that was added last.
    func followRedirect(
        _ layerEntry: LayerEntry, _ name: PathRef, in directory: Node, _ backings: [Backing],
        _ lookup: inout NameLookup
    ) throws(Errno) {
        guard let parent = backings.first(where: { $0.layer === layerEntry.layer }) else { return }
        var way: Redirection
        switch redirection(of: layerEntry, name, in: parent.directory) {
        case .success(let found): way = found
        case .failure(let obstacle): return lookup.block(layerEntry.layer, obstacle.reason)
        }
        redirects.store(true, ordering: .sequentiallyConsistent)
        lookup.lead(by: way)
        var unanswered: Layer? = layerEntry.layer
        for layer in stack.layers where layer.index > layerEntry.layer.index && !lookup.isDecided {
            do throws(Errno) {
                switch try led(by: way, to: layer, in: directory, backings) {
                case .nothing: continue
                case .end: lookup.end(at: layer)
                case .obstacle(let reason): return lookup.block(layer, reason)
                case .found(let found, let next, let isLast):
                    guard found.isDirectory else {
                        lookup.end(at: layer)
                        break
                    }
                    unanswered = found.marks.contains(.redirect) ? layer : nil
                    lookup.add(found)
                    if isLast { lookup.end(at: layer) }
                    if let next {
                        way = next
                        lookup.lead(by: next)
                    }
                }
            } catch {
                guard error.isLayerFailure else { throw error }
                layer.note(failure: error)
                lookup.failure = error
                return
            }
        }
        if let unanswered { lookup.block(unanswered, .missing) }
    }

    /// Finds the data of a metacopy. Failure: why the data can't be had.
    func data(
        of layerEntry: LayerEntry, _ name: PathRef, in directory: Node, _ backings: [Backing]
    ) throws(Errno) -> Result<RedirectedData, MarkError> {
        guard let parent = backings.first(where: { $0.layer === layerEntry.layer }) else {
            return .failure(MarkError(.missing))
        }
        var way = Redirection(
            layer: layerEntry.layer.index, path: name.array, isAbsolute: false)
        switch redirection(of: layerEntry, name, in: parent.directory) {
        case .success(let found): if layerEntry.marks.contains(.redirect) { way = found }
        case .failure(let error): return .failure(error)
        }
        for layer in stack.layers where layer.index > layerEntry.layer.index {
            switch try led(by: way, to: layer, in: directory, backings) {
            case .nothing: continue
            case .end: return .failure(MarkError(.missing))
            case .obstacle(let reason): return .failure(MarkError(reason))
            case .found(let found, let next, let isLast):
                guard found.status.isRegular, !found.isWhiteout else { return .failure(MarkError(.missing)) }
                if found.marks.contains(.metacopy) {
                    if isLast { return .failure(MarkError(.missing)) }
                    way = next ?? way
                    continue
                }
                let path = found.elsewhere ?? []
                return .success(RedirectedData(layer, path, blocks: found.status.blocks))
            }
        }
        return .failure(MarkError(.missing))
    }

    /// Where the mark on `name` leads. An object without a redirect is where it is, by its own name.
    private func redirection(
        of layerEntry: LayerEntry, _ name: PathRef, in directory: FileDescriptor
    ) -> Result<Redirection, MarkError> {
        guard layerEntry.layer.isReadOnly else { return .failure(MarkError(.writableLayer)) }
        var way = Redirection(
            layer: layerEntry.layer.index, path: name.array, isAbsolute: false)
        if layerEntry.marks.contains(.redirect) {
            let trusted = directory.xattrValue(at: name, MarkName.redirect)
            if trusted == nil, !layerEntry.isOfServer { return .failure(MarkError(.untrusted)) }
            guard let value = trusted ?? directory.xattrValue(at: name, MarkName.userRedirect),
                let found = Redirection(value, in: layerEntry.layer)
            else { return .failure(MarkError(.malformed)) }
            way = found
        }
        if layerEntry.marks.contains(.metacopy), !layerEntry.isOfServer,
            directory.xattrValue(at: name, MarkName.metacopy) == nil
        {
            return .failure(MarkError(.untrusted))
        }
        return .success(way)
    }

    /// Walks one layer as the mark says, and returns what is there.
    private func led(
        by way: Redirection, to layer: Layer, in directory: Node, _ backings: [Backing]
    ) throws(Errno) -> Led {
        var current: OwnedDescriptor
        var path: [UInt8] = []
        if way.isAbsolute {
            current = try layer.root.descriptor.duplicated()
        } else {
            guard let beside = backings.first(where: { $0.layer === layer }) else { return .nothing }
            current = try beside.directory.duplicated()
            let above = try self.path(of: directory, in: layer)
            path = above.array
        }
        let names = way.names
        var (below, isAbsolute, isLast, isChanged) = ([UInt8](), way.isAbsolute, false, false)
        for (index, bytes) in names.enumerated() {
            let name = OwnedName(Array(bytes))
            let backing = Backing(
                layer: layer, directory: current.descriptor, isRoot: false, marks: nil, isOwned: false)
            guard var layerEntry = try layerEntry(of: name.ref, in: backing, isLowest: false, isLed: true)
            else {
                return .nothing
            }
            if layerEntry.isWhiteout { return .end }
            if isOnPseudo(layerEntry) { return .obstacle(.pseudo) }
            isLast = isLast || layerEntry.marks.contains(.complete)
            var step = Redirection(layer: layer.index, path: Array(bytes), isAbsolute: false)
            if layerEntry.marks.leadElsewhere {
                switch redirection(of: layerEntry, name.ref, in: current.descriptor) {
                case .success(let found): step = found
                case .failure(let error): return .obstacle(error.reason)
                }
                isChanged = true
            }
            (below, isAbsolute) = step.applied(to: below, isAbsolute: isAbsolute)
            guard below.count < longestPath else { return .obstacle(.malformed) }
            path += (path.isEmpty ? [] : [Redirection.slash]) + bytes
            if index == names.count - 1 {
                layerEntry.elsewhere = path
                let next = Redirection(layer: layer.index, path: below, isAbsolute: isAbsolute)
                return .found(layerEntry, from: isChanged ? next : nil, isLast: isLast)
            }
            guard layerEntry.isDirectory else { return .end }
            current = try current.descriptor.openBeneath(name.ref, flags: [.path, .directory, .noFollow])
        }
        return .nothing
    }
}

/// Why a mark isn't followed.
struct MarkError: Error {
    let reason: RedirectObstacle

    init(_ reason: RedirectObstacle) { self.reason = reason }
}

extension LayerEntry {
    /// Whether only root and the server's user can have set a `user.` attribute on it.
    fileprivate var isOfServer: Bool {
        (status.uid == 0 || status.uid == ServerIdentity.uid) && status.permissions & 0o022 == 0
    }
}

// Where directories are in each layer, as marks on them and above them say.
extension Resolver {
    /// Whether a mark leads some layer's part of the directory, or of a directory above it, elsewhere.
    func isRedirected(_ node: Node) -> Bool {
        guard redirects.load(ordering: .relaxed) else { return false }
        var way = WayUp(from: node)
        repeat {
            if way.node.state.withLock({ !$0.makeup.redirections.isEmpty }) { return true }
        } while way.next() != nil
        return false
    }

    /// Opens a real object of a lookup. A mark may lead to it, so that it isn't under the name in the view.
    func openEntry(
        _ layerEntry: LayerEntry, _ name: PathRef, in view: borrowing DirectoryView, flags: OpenFlags
    ) throws(Errno) -> OwnedDescriptor {
        if let elsewhere = layerEntry.elsewhere {
            let path = OwnedName(elsewhere)
            return try layerEntry.layer.root.descriptor.openBeneath(path.ref, flags: flags)
        }
        guard let parent = view.directory(in: layerEntry.layer.index) else { throw .noSuchFileOrDirectory }
        return try parent.openBeneath(name, flags: flags)
    }
}

extension Node {
    /// Where a mark says that the directory is in that layer. nil: no mark says anything.
    func redirection(in layer: Int) -> Redirection? {
        state.withLock { state in state.makeup.redirections.last { $0.layer < layer } }
    }
}

// The data of metacopies.
extension Resolver {
    /// The place of the file's data. nil: the file has its own. EPERM: the data can't be had.
    func dataElsewhere(
        of node: Node, _ target: borrowing LocatedObject
    ) throws(Errno) -> RedirectedData? {
        guard node.kind == .regular, target.layer.mayHaveMetacopy(target.status),
            target.descriptor.marks(at: "").contains(.metacopy)
        else { return nil }
        for alias in node.aliases {
            do throws(Errno) {
                let view = try view(of: alias.parent)
                let lookup = try lookup(view, alias.name, in: alias.parent)
                guard let owner = lookup.owner, node.identity.matches(owner.status) else { continue }
                if let data = owner.data { return data }
            } catch .noSuchFileOrDirectory {
                continue
            }
        }
        throw .notPermitted
    }

    /// Opens the data of a metacopy for a caller that could open the metacopy itself.
    func openData(_ data: RedirectedData, flags: OpenFlags) throws(Errno) -> OwnedDescriptor {
        let path = OwnedName(data.path)
        let object = try data.layer.openObject(at: path.ref)
        let status = try object.descriptor.status()
        let filesystem = stack.filesystems.facts(of: status.device, asking: object.descriptor)
        guard status.isRegular, !filesystem.isPseudo else { throw .notPermitted }
        return try object.descriptor.reopen(flags: flags)
    }

    /// Attributes of a file found by itself. A metacopy's are its own, except for the room that the data
    /// takes.
    func attributes(
        of node: Node, _ object: borrowing LocatedObject, _ status: FileStatus
    ) -> Attributes {
        var result = attributes(status, node.filesystem)
        if let data = try? dataElsewhere(of: node, object) { result.blocks = data.blocks }
        return result
    }
}

internal import LinuxSystem
internal import SystemPackage

// Skeletons whose origin has gone: whether they show, and as what.
//
// With `orphans=keep` a skeleton belongs to its name. Any directory of that name below is merged with it;
// without one it shows alone while it holds entries. With `orphans=hide` it belongs to its origin. Without
// that very directory it doesn't show, nor does anything in it.

extension Resolver {
    /// Whether the upper's skeleton at `position` of the lookup is part of what the union shows.
    func isShown(
        _ lookup: NameLookup, _ position: Int, _ name: PathRef, _ backings: [Backing],
        toRemove: Bool
    ) -> Bool {
        guard let upper = backings.first(where: { $0.layer.isUpper }) else { return true }
        switch policies.orphans {
        case .keep:
            let skeleton = lookup.layerEntries[position].status
            guard lookup.isOrphan else {
                emptied.forget(skeleton)
                return true
            }
            return toRemove && emptied.has(skeleton) || layers.hasEntries(name, in: upper.directory)
        case .hide:
            guard let origin = layers.origin(of: name, in: upper.directory) else { return true }
            for layerEntry in lookup.visible where !layerEntry.layer.isUpper && layerEntry.elsewhere == nil {
                let backing = backings.first { $0.layer === layerEntry.layer }
                if let backing, isOrigin(origin, name, in: backing.directory, backing.layer) { return true }
            }
            return false
        }
    }

    /// Whether the lower's directory `name` is the one of the record.
    private func isOrigin(
        _ origin: OriginRecord, _ name: PathRef, in parent: FileDescriptor, _ layer: Layer
    ) -> Bool {
        guard let found = try? parent.openBeneath(name, flags: [.path, .directory, .noFollow]) else {
            return false
        }
        return origin.isOrigin(found.descriptor, in: layer)
    }

    /// Takes the upper's directory out of a node's view if it, or one that holds it, is a skeleton whose
    /// origin has gone. (`orphans=hide`: what was found by its path must be seen on every step of it.) False:
    /// another directory stands there by now, for this one had to make room.
    func leaveOutUnseen(_ view: inout DirectoryView, of node: Node, at path: PathRef) -> Bool {
        guard let upper = stack.upper, let directory = view.directory(in: upper.index) else { return true }
        var way = WayUp(from: node)
        while !way.node.isRoot {
            if isUnseen(way.node, upper) {
                view.removeUpper()
                return true
            }
            if way.next() == nil { return true }
        }
        // Those on the way were looked at by their paths. What was found tells of this very directory only if
        // it is still there.
        guard let status = try? directory.status(), let now = try? upper.openDirectory(at: path),
            let layerEntry = try? now.descriptor.status()
        else { return false }
        return ObjectIdentity(status, on: nil).matches(layerEntry)
    }

    private func isUnseen(_ node: Node, _ upper: Layer) -> Bool {
        guard let path = try? path(of: node), let directory = try? upper.openDirectory(at: path.ref),
            let origin = layers.origin(of: "", in: directory.descriptor)
        else { return false }
        return !hasOrigin(origin, of: node, at: path.ref)
    }

    /// Whether one of the lowers' directories that back the node is the one of the record. The node may be
    /// elsewhere in some layers.
    private func hasOrigin(_ origin: OriginRecord, of node: Node, at path: PathRef) -> Bool {
        guard isRedirected(node) else { return hasOrigin(origin, at: path, floor: node.floor) }
        let floor = node.floor
        for layer in stack.layers where !layer.isUpper && layer.index <= floor {
            guard let path = try? self.path(of: node, in: layer) else { return false }
            do throws(Errno) {
                let directory = try layer.openDirectory(at: path.ref)
                if origin.isOrigin(directory.descriptor, in: layer) { return true }
            } catch {
                if error == .notDirectory || error == .tooManySymbolicLinkLevels { return false }
            }
        }
        return false
    }

    /// Whether one of the lowers' directories at `path` is the one of the record. The search ends at the
    /// first object that is no directory.
    func hasOrigin(_ origin: OriginRecord, at path: PathRef, floor: Int) -> Bool {
        for layer in stack.layers where !layer.isUpper && layer.index <= floor {
            do throws(Errno) {
                let directory = try layer.openDirectory(at: path)
                if origin.isOrigin(directory.descriptor, in: layer) { return true }
            } catch {
                if error == .notDirectory || error == .tooManySymbolicLinkLevels { return false }
            }
        }
        return false
    }

    /// Whether the skeleton, an open directory of the upper, may be used for `node`. With `orphans=hide` it
    /// may only if it is that very directory's. A directory that is no skeleton may be used for any node.
    func isUsable(_ skeleton: FileDescriptor, for node: Node) -> Bool {
        guard policies.orphans == .hide, let origin = layers.origin(of: "", in: skeleton),
            let path = try? path(of: node)
        else { return true }
        return hasOrigin(origin, of: node, at: path.ref)
    }
}

// Orphans that change by what users do.
extension Resolver {
    func emptiedSkeleton(of node: Node) -> FileStatus? {
        guard node.makeup.hasSkeleton, let view = try? viewAtAlias(of: node), isEmptyOrphan(node, view)
        else { return nil }
        return try? view.backings.first?.directory.status()
    }

    /// Whether only a skeleton is left, and it holds nothing. Then it isn't shown, not even to a caller that
    /// is in it.
    func isEmptyOrphan(_ node: Node, _ view: borrowing DirectoryView) -> Bool {
        guard view.count == 1, let own = view.backings.first, own.layer.isUpper, !own.isRoot,
            view.failure == nil, node.makeup.hasSkeleton
        else { return false }
        return layers.marks(of: own).contains(.skeleton) && !layers.hasEntries("", in: own.directory)
    }
}

// An orphan shows the attributes that its origin showed last.
extension Resolver {
    /// Gives the skeleton its origin's mode and owner if these have changed since. It compares what a lookup
    /// has seen already, so it makes no call as long as they are equal.
    func followOrigin(
        _ lookup: NameLookup, _ position: Int, _ name: PathRef, _ backings: [Backing]
    ) {
        let skeleton = lookup.layerEntries[position]
        guard let owner = lookup.owner, owner.layer !== skeleton.layer, !policies.readOnly,
            !skeleton.layer.isReadOnly, layers.isBehind(skeleton.status, owner.status)
        else { return }
        let flags: OpenFlags = [.path, .directory, .noFollow]
        guard let upper = backings.first(where: { $0.layer === skeleton.layer }),
            let lower = backings.first(where: { $0.layer === owner.layer }),
            let own = try? upper.directory.openBeneath(name, flags: flags),
            let origin = try? lower.directory.openBeneath(name, flags: flags)
        else { return }
        layers.align(own.descriptor, with: origin.descriptor, owner.status)
    }
}

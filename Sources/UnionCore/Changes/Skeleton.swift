internal import LinuxSystem
internal import SystemPackage

// Skeletons: directories in the upper that exist only to hold upper entries below a directory that a lower
// owns. The server makes them as itself and not as the caller, which may have no right to make directories
// there. No user can see a change by it.

extension Changes {
    /// The upper's directory for `directory`. It is made with every missing parent if it isn't there yet.
    func upperDirectory(
        for directory: Node, _ view: inout DirectoryView
    ) throws(Errno) -> FileDescriptor {
        guard let upper = stack.upper, !upper.isReadOnly else { throw .readOnlyFileSystem }
        if let existing = view.directory(in: upper.index) {
            try alignSkeleton(existing, view)
            return existing
        }
        // A skeleton would be made at the path, where another directory stands by now. A caller that gets here again after
        // ESTALE hasn't walked elsewhere: it stands in this one, which has gone.
        if view.isHeld {
            let isWalking =
                view.heldFor == 0
                || resolver.staleAnswers.mustSay(to: view.heldFor, directory.id, mayCheckOnly: false)
            guard isWalking else { throw .noSuchFileOrDirectory }
            resolver.held.begin()
            throw .staleNFSFileHandle
        }
        let skeleton = try resolver.withStableAliases { () throws(Errno) -> OwnedDescriptor in
            try resolver.undivided(
                { $0.concerns(directory) },
                { begun throws(Errno) -> OwnedDescriptor in
                    try skeletons(leadingTo: directory, in: upper, begun)
                })
        }
        let made = skeleton.descriptor
        view.insertUpper(upper, skeleton)
        return made
    }

    private func skeletons(
        leadingTo directory: Node, in upper: Layer, _ begun: UInt64
    ) throws(Errno) -> OwnedDescriptor {
        var (chain, way) = ([Node](), WayUp(from: directory))
        while !way.node.isRoot {
            chain.append(way.node)
            if way.next() == nil { throw .noSuchFileOrDirectory }
        }
        var parent = try upper.root.descriptor.duplicated()
        for node in chain.reversed() {
            guard let alias = node.alias else { throw .noSuchFileOrDirectory }
            parent = try skeleton(alias, of: node, in: parent.descriptor, begun)
        }
        return parent
    }

    /// Opens the upper's directory at that alias. Makes it first, from the directory that it stands for, if
    /// it is missing.
    private func skeleton(
        _ alias: NodeAlias, of node: Node, in parent: FileDescriptor, _ begun: UInt64
    ) throws(Errno) -> OwnedDescriptor {
        let name = alias.name
        if let existing = try existingSkeleton(name, in: parent) {
            if resolver.isUsable(existing.descriptor, for: node) { return existing }
            let status = try existing.descriptor.status()
            try layers.stash(name, in: parent, at: try resolver.path(of: node), expecting: status)
        }
        let origin = try resolver.object(of: node)
        // The skeleton's event is looked at when the node's makeup is noted.
        let change = OwnChange(coherence.noting, alias.parent, name)
        let made = try makeSkeleton(name, of: origin, for: node, in: parent)
        if made != nil, resolver.mergedRenames.now.begun != begun {
            // The directory that it stands for may be elsewhere by now. A rename that begins later finds the
            // skeleton.
            try? parent.removeDirectory(at: name)
            throw .noSuchFileOrDirectory
        }
        let found = try parent.openBeneath(name, flags: [.path, .directory, .noFollow])
        // A stranger's directory may have been made first, or may be in our skeleton's place by now. The
        // kernel was told of no such directory.
        if let made { reporting.noteLayers(of: node, with: made) }
        change.endUnseen()
        return found
    }

    private func existingSkeleton(
        _ name: PathRef, in parent: FileDescriptor
    ) throws(Errno) -> OwnedDescriptor? {
        do {
            return try parent.openBeneath(name, flags: [.path, .directory, .noFollow])
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    /// Prepares a skeleton in the work area and puts it in place in one step: a crash leaves nothing, or a
    /// usable one. nil: another thread or program was faster, and its directory is as good.
    private func makeSkeleton(
        _ name: PathRef, of origin: borrowing LocatedObject, for node: Node, in parent: FileDescriptor
    ) throws(Errno) -> MadeSkeleton? {
        try layers.noteHolder(parent)
        let staging = try work.directory()
        let temporary = work.temporaryName()
        try staging.makeDirectory(at: temporary.ref, mode: 0o700)
        do {
            let made = try staging.openBeneath(temporary.ref, flags: [.path, .directory, .noFollow])
            try dress(made.descriptor, as: origin)
            let status = try made.descriptor.status()
            // It is watched before anything can be made in it.
            let isWatched = reporting.watchSkeleton(made.descriptor, of: node)
            let before = try parent.status()
            try layers.putInPlace(temporary.ref, from: staging, name, in: parent)
            // The parent must not look changed by this.
            try? parent.changeTimes(access: .omit, modification: .set(before.modified))
            return MadeSkeleton(status: status, isWatched: isWatched)
        } catch {
            work.discard(temporary.ref)
            guard error == .fileExists else { throw error }
            return nil
        }
    }

    /// Gives the skeleton the origin's attributes, and records which directory it stands for.
    private func dress(
        _ skeleton: FileDescriptor, as origin: borrowing LocatedObject
    ) throws(Errno) {
        let status = origin.status
        let record = try OriginRecord(of: origin.descriptor, status, in: origin.layer)
        do {
            let text = OwnedName(record.text)
            try layers.setMark(.origin, text.ref, on: "", in: skeleton)
        } catch .notSupported {
            // There is no place for marks: the skeleton is an ordinary directory.
        }
        layers.align(skeleton, with: origin.descriptor, status)
        try skeleton.changeTimes(access: .set(status.accessed), modification: .set(status.modified))
    }

    /// Gives a skeleton the mode and owner that the directory it stands for has now. The skeleton's own
    /// matter to a caller that creates in it.
    private func alignSkeleton(
        _ skeleton: FileDescriptor, _ view: borrowing DirectoryView
    ) throws(Errno) {
        guard view.count > 1, !view.backings[0].isRoot,
            layers.knownMarks(of: view.backings[0])?.contains(.skeleton) != false
        else { return }
        let own = try skeleton.status()
        let origin = try view.backings[1].directory.status()
        guard layers.isBehind(own, origin), layers.isSkeleton("", in: skeleton) else { return }
        layers.align(skeleton, with: view.backings[1].directory, origin)
    }
}

extension Changes {
    /// Makes an orphan that got another name an ordinary directory: what a user moves is the user's.
    func keepMoved(_ moved: LayerEntry, at name: PathRef, in directory: FileDescriptor) {
        guard moved.layer.isUpper, moved.marks.contains(.skeleton) else { return }
        try? layers.setMark(.holder, "y", on: name, in: directory)
        try? layers.removeMark(.origin, from: name, in: directory)
    }
}

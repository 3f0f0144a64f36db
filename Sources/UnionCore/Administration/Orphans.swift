internal import LinuxSystem
public import SystemPackage

/// A skeleton whose origin has gone, with what it holds.
public struct OrphanRecord: Sendable, Equatable {
    /// The number by which `restoreOrphan` and `purgeOrphan` know the orphan, at the next mount too.
    public let id: String
    /// The path in the union, without a leading slash.
    public let path: String
    /// The directory that it stood for.
    public let origin: String
    /// How many files and directories it holds, those below its own directories included.
    public let entries: Int
}

/// An orphan that was found.
private struct FoundOrphan {
    /// The path in the union.
    let path: [UInt8]
    let status: FileStatus
    /// Whether it is in the work area's store, where its name is its inode number. Otherwise it is at its
    /// path in the upper.
    let isStored: Bool

    var id: String { String(status.inode) }
}

extension Union {
    /// The orphans that hold anything: those in their places and those that had to make room for other
    /// objects.
    public func orphans() throws(Errno) -> [OrphanRecord] {
        var records: [OrphanRecord] = []
        for orphan in try foundOrphans() {
            // It may have gone meanwhile, here and below.
            guard let place = try? open(orphan) else { continue }
            let entries = layers.entryCount("", in: place.descriptor)
            guard entries > 0 else { continue }
            let origin = layers.origin(of: "", in: place.descriptor)
            records.append(
                OrphanRecord(
                    id: orphan.id, path: String(decoding: orphan.path, as: UTF8.self),
                    origin: origin?.summary ?? "", entries: entries))
        }
        return records
    }

    /// Brings an orphan back for good. From now on it belongs to the directory that its path is now, or
    /// stands alone as a directory of the upper. ENOENT: there is no such orphan, or no directory to put it
    /// in. EEXIST: something else has its name, or an entry's.
    public func restoreOrphan(_ id: String) throws(Errno) {
        let orphan = try find(id)
        try checkWritableUpper()
        if orphan.isStored {
            try restoreStored(orphan)
        } else {
            let place = try open(orphan)
            try reattach(place.descriptor, at: orphan.path)
        }
        reporting.lookAtEverything()
    }

    /// Removes an orphan and all that it holds. ENOENT: there is no such orphan.
    public func purgeOrphan(_ id: String) throws(Errno) {
        let orphan = try find(id)
        try checkWritableUpper()
        try purge(orphan)
        reporting.lookAtEverything()
    }

    /// Removes all orphans that hold anything, and all that they hold. EROFS: the upper can't be written.
    public func purgeAllOrphans() throws(Errno) {
        try checkWritableUpper()
        for orphan in try foundOrphans() {
            do {
                try purge(orphan)
            } catch .noSuchFileOrDirectory {
                // It has gone meanwhile.
            }
        }
        reporting.lookAtEverything()
    }

    private func checkWritableUpper() throws(Errno) {
        guard let upper = stack.upper else { throw .readOnlyFileSystem }
        try layers.checkWritable(upper)
    }

    private func find(_ id: String) throws(Errno) -> FoundOrphan {
        guard let orphan = try foundOrphans().first(where: { $0.id == id }) else {
            throw .noSuchFileOrDirectory
        }
        return orphan
    }

    private func open(_ orphan: FoundOrphan) throws(Errno) -> OwnedDescriptor {
        let name = OwnedName(orphan.isStored ? Array(orphan.id.utf8) : orphan.path)
        return try root(of: orphan).openBeneath(name.ref, flags: [.path, .directory, .noFollow])
    }

    private func root(of orphan: FoundOrphan) throws(Errno) -> FileDescriptor {
        if orphan.isStored { return try work.orphans() }
        guard let upper = stack.upper else { throw .noSuchFileOrDirectory }
        return upper.root.descriptor
    }
}

// Finding
extension Union {
    private func foundOrphans() throws(Errno) -> [FoundOrphan] {
        try orphansInPlace() + storedOrphans()
    }

    /// Walks the upper wherever there may be skeletons. What an orphan holds is part of the orphan.
    private func orphansInPlace() throws(Errno) -> [FoundOrphan] {
        guard let upper = stack.upper else { return [] }
        var found: [FoundOrphan] = []
        upper.root.descriptor.walkTree { directory, entry, path in
            if path.isEmpty && work.isReserved(entry.name) { return .pass }
            guard let status = try? directory.status(at: entry.name), status.isDirectory else { return .pass }
            let child = path.appending(entry.name)
            let marks = layers.marks(of: entry.name, in: directory)
            if marks.contains(.skeleton), isOrphan(child) {
                found.append(FoundOrphan(path: child, status: status, isStored: false))
                return .pass
            }
            return marks.mayHoldSkeletons ? .enter : .pass
        }
        return found
    }

    /// Whether the upper's skeleton at that path has lost its origin, as the mount's policy sees it.
    private func isOrphan(_ path: [UInt8]) -> Bool {
        let hasNone = hasNoOrigin(path)
        return hasNone && !isMerged(path)
    }

    /// Whether users see the directory with a part of a lower: a mark of overlayfs may have led to one.
    private func isMerged(_ path: [UInt8]) -> Bool {
        guard let (id, visited) = try? walk(path) else { return false }
        defer { for node in visited { reporting.forget(node, count: 1) } }
        guard let node = try? resolver.node(id), let view = try? resolver.view(of: node) else { return false }
        return view.count > 1 && view.backings[0].layer.isUpper
    }

    private func hasNoOrigin(_ path: [UInt8]) -> Bool {
        let path = OwnedName(path)
        guard policies.orphans == .hide, let upper = stack.upper,
            let directory = try? upper.openDirectory(at: path.ref),
            let origin = layers.origin(of: "", in: directory.descriptor)
        else { return lowerDirectory(at: path.ref) == nil }
        return !resolver.hasOrigin(origin, at: path.ref, floor: stack.count - 1)
    }

    /// The topmost lower that has a directory at the path.
    private func lowerDirectory(at path: PathRef) -> Layer? {
        for layer in stack.layers where !layer.isUpper {
            do throws(Errno) {
                let directory = try layer.openDirectory(at: path)
                _ = directory.descriptor
                return layer
            } catch {
                if error == .notDirectory || error == .tooManySymbolicLinkLevels { return nil }
            }
        }
        return nil
    }

    private func storedOrphans() -> [FoundOrphan] {
        guard let store = work.existingOrphans() else { return [] }
        var found: [FoundOrphan] = []
        var stream = DirectoryStream(reading: store.descriptor)
        while let entry = try? stream.next() {
            guard !entry.name.isDots, let status = try? store.descriptor.status(at: entry.name),
                status.isDirectory,
                let path = layers.value(of: .path, on: entry.name, in: store.descriptor)
            else { continue }
            found.append(FoundOrphan(path: path, status: status, isStored: true))
        }
        return found
    }
}

// Removing
extension Union {
    private func purge(_ orphan: FoundOrphan) throws(Errno) {
        let root = try root(of: orphan)
        if orphan.isStored {
            let name = OwnedName(orphan.id)
            return work.discard(name.ref, in: root)
        }
        let (parent, name) = split(orphan.path)
        let parentName = OwnedName(parent)
        let directory = try root.openBeneath(parentName.ref, flags: [.path, .directory, .noFollow])
        let last = OwnedName(name)
        try layers.removeTree(last.ref, in: directory.descriptor)
    }

    private func split(_ path: [UInt8]) -> (parent: [UInt8], name: [UInt8]) {
        guard let slash = path.lastIndex(of: 0x2f) else { return ([], path) }
        return (Array(path[..<slash]), Array(path[(slash + 1)...]))
    }
}

// Bringing back
extension Union {
    /// Makes the orphan, an open directory of the upper, and every skeleton in it belong to the lower
    /// directories of the paths where they are now. A skeleton for which there is none becomes an ordinary
    /// directory.
    private func reattach(_ orphan: FileDescriptor, at path: [UInt8]) throws(Errno) {
        guard layers.isSkeleton("", in: orphan) else { return }
        var skeletons: [[UInt8]] = [[]]
        orphan.walkTree { directory, entry, inside in
            guard layers.isSkeleton(entry.name, in: directory) else { return .pass }
            skeletons.append(inside.appending(entry.name))
            return .enter
        }
        for inside in skeletons {
            let name = OwnedName(inside)
            let skeleton = try orphan.openBeneath(name.ref, flags: [.readOnly, .directory, .noFollow])
            try reattachOne(skeleton.descriptor, at: inside.isEmpty ? path : path + [0x2f] + inside)
        }
    }

    private func reattachOne(_ skeleton: FileDescriptor, at path: [UInt8]) throws(Errno) {
        let name = OwnedName(path)
        guard let layer = lowerDirectory(at: name.ref) else {
            // It may go on holding skeletons, and listings must look for these.
            try layers.setMark(.holder, "y", on: "", in: skeleton)
            return try layers.removeMark(.origin, from: "", in: skeleton)
        }
        let origin = try layer.openDirectory(at: name.ref)
        let record = try OriginRecord(of: origin.descriptor, try origin.descriptor.status(), in: layer)
        let text = OwnedName(record.text)
        try layers.setMark(.origin, text.ref, on: "", in: skeleton)
    }

    private func restoreStored(_ orphan: FoundOrphan) throws(Errno) {
        let (parentPath, lastName) = split(orphan.path)
        let (parent, visited) = try walk(parentPath)
        defer { for node in visited { reporting.forget(node, count: 1) } }
        let name = OwnedName(lastName)
        var target = try changes.target(parent, name.ref, server)
        let upper = try changes.upperDirectory(for: target.directory, &target.view)
        try changes.makeRoom(for: name.ref, in: upper, of: target.directory, target.lookup)
        let stored = OwnedName(orphan.id)
        let store = try work.orphans()
        if let existing = try existingDirectory(name.ref, in: upper) {
            try checkDisjoint(stored.ref, in: store, existing.descriptor)
            let place = try open(orphan)
            try reattach(place.descriptor, at: orphan.path)
            try layers.noteHolder(existing.descriptor)
            try moveEntries(place.descriptor, to: existing.descriptor)
            return work.discard(stored.ref, in: store)
        }
        if target.lookup.owner?.isDirectory == false { throw .fileExists }
        let place = try open(orphan)
        try reattach(place.descriptor, at: orphan.path)
        try layers.noteHolder(upper)
        try layers.putInPlace(stored.ref, from: store, name.ref, in: upper)
        try? layers.removeMark(.path, from: name.ref, in: upper)
    }

    /// Opens the directory of that name. EEXIST: a file has the name.
    private func existingDirectory(
        _ name: PathRef, in upper: FileDescriptor
    ) throws(Errno) -> OwnedDescriptor? {
        do {
            return try upper.openBeneath(name, flags: [.readOnly, .directory, .noFollow])
        } catch .noSuchFileOrDirectory {
            return nil
        } catch .notDirectory, .tooManySymbolicLinkLevels {
            throw .fileExists
        }
    }

    /// Throws EEXIST if both have an entry of one name: then nothing is moved.
    private func checkDisjoint(
        _ name: PathRef, in store: FileDescriptor, _ directory: FileDescriptor
    ) throws(Errno) {
        let stored = try store.openBeneath(name, flags: [.readOnly, .directory, .noFollow])
        var stream = DirectoryStream(reading: stored.descriptor)
        while let entry = try stream.next() {
            if !entry.name.isDots, try directory.exists(at: entry.name) { throw .fileExists }
        }
    }

    private func moveEntries(_ from: FileDescriptor, to directory: FileDescriptor) throws(Errno) {
        let listed = try from.openBeneath("", flags: [.readOnly, .directory])
        var stream = DirectoryStream(reading: listed.descriptor)
        var names: [[UInt8]] = []
        while let entry = try stream.next() {
            if !entry.name.isDots { names.append(entry.name.array) }
        }
        for name in names {
            let name = OwnedName(name)
            try FileDescriptor.rename(
                from: listed.descriptor, name.ref, to: directory, name.ref, flags: .noReplace)
        }
    }
}

extension Union {
    /// The server as a caller, where it acts for itself.
    private var server: CallerIdentity {
        CallerIdentity(uid: ServerIdentity.uid, gid: ServerIdentity.gid, pid: ServerIdentity.pid)
    }

    /// Looks a union path up, name by name. One lookup count is held on each of `visited`. After an error
    /// this forgets the nodes that were found before it.
    func walk(_ path: [UInt8]) throws(Errno) -> (node: NodeID, visited: [NodeID]) {
        var current = NodeID.root
        var visited: [NodeID] = []
        for name in path.split(separator: 0x2f) where !name.elementsEqual([0x2e]) {
            let name = OwnedName(Array(name))
            do throws(Errno) {
                current = try lookup(current, name.ref, server).entry.node
                if current.isNothing { throw .noSuchFileOrDirectory }
            } catch {
                for node in visited { reporting.forget(node, count: 1) }
                throw error
            }
            visited.append(current)
        }
        return (current, visited)
    }
}

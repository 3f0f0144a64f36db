internal import LinuxSystem
internal import SystemPackage

// Renames of several steps in the midst of which a server ended. Before the first request they are finished
// or, where that can't be, undone. Where the parts are tells how far such a rename came.

extension Changes {
    func settleInterruptedRenames() {
        guard !policies.readOnly else { return }
        defer { work.cleanIfThere() }
        guard let journal = try? work.journal(create: false) else { return }
        for (name, record) in RenameJournal.read(in: journal.descriptor) {
            // A record that was cut off has no step done.
            if let record, !InterruptedRename(record, of: self).settle() {
                layers.notices.post(.ignored(.finishRename, path: OwnedName(record.from).string, nil))
                continue
            }
            let name = OwnedName(name)
            try? journal.descriptor.unlink(at: name.ref)
        }
    }
}

private struct InterruptedRename {
    private enum Side { case old, new }

    private struct PartFound {
        let layer: Layer
        var side: Side
    }

    private let changes: Changes
    private let record: RenameRecord
    private let old: SplitPath
    private let new: SplitPath
    private var parts: [PartFound] = []

    init(_ record: RenameRecord, of changes: Changes) {
        self.changes = changes
        self.record = record
        old = SplitPath(record.from)
        new = SplitPath(record.to)
        parts = record.parts.compactMap { find($0) }
    }

    /// Finishes or undoes the rename. False: it is neither finished nor undone, as a layer fails.
    consuming func settle() -> Bool {
        if parts.allSatisfy({ $0.side == .old }) { return takeBack() }
        if canFinish && move(to: .new) { return finish() }
        return move(to: .old) && takeBack()
    }

    /// Whether the layers of what must go or be covered thereafter can be written.
    private var canFinish: Bool {
        if record.isCovered && changes.stack.upper?.isReadOnly != false { return false }
        return !isAnythingAbove { $0.isReadOnly }
    }

    private func isAnythingAbove(inLayers isMeant: (Layer) -> Bool) -> Bool {
        record.above.contains { object in
            changes.stack.layers.contains { isMeant($0) && isThere(object, at: new, in: $0) }
        }
    }

    /// Where the real directory is, if any layer has it at one of the names.
    private func find(_ part: OriginRecord) -> PartFound? {
        for layer in changes.stack.layers {
            if isThere(part, at: new, in: layer) { return PartFound(layer: layer, side: .new) }
            if isThere(part, at: old, in: layer) { return PartFound(layer: layer, side: .old) }
        }
        return nil
    }

    private func isThere(_ object: OriginRecord, at path: SplitPath, in layer: Layer) -> Bool {
        let path = OwnedName(path.whole)
        guard let found = try? layer.openObject(at: path.ref) else { return false }
        return object.isKnownByNameAlone
            ? object.layerPath == layer.path : object.isOrigin(found.descriptor, in: layer)
    }

    /// Moves all parts to that name. False: not all of them are there now.
    private mutating func move(to side: Side) -> Bool {
        for index in parts.indices where parts[index].side != side {
            let (from, to) = side == .new ? (old, new) : (new, old)
            do throws(Errno) {
                try move(in: parts[index].layer, from, to)
                parts[index].side = side
            } catch {
                return false
            }
        }
        return true
    }

    /// Moves one part. What it replaces changes places with it, and is then removed or stays.
    private func move(in layer: Layer, _ from: SplitPath, _ to: SplitPath) throws(Errno) {
        if layer.isReadOnly { throw .readOnlyFileSystem }
        let source = try from.openParent(in: layer)
        let target = try to.openParent(in: layer)
        let name = OwnedName(from.name)
        let newName = OwnedName(to.name)
        let isFree = try !target.descriptor.exists(at: newName.ref)
        try FileDescriptor.rename(
            from: source.descriptor, name.ref, to: target.descriptor, newName.ref,
            flags: isFree ? [] : .exchange)
    }

    /// Takes the steps that follow the move. False: something stays that must go.
    private func finish() -> Bool {
        for remain in record.remains { remove(remain, at: old) }
        if record.isCovered && !cover() { return false }
        for object in record.above { remove(object, at: new) }
        if let aside = record.aside { changes.discardAside(aside, of: new.buffer) }
        return !isAnythingAbove { _ in true }
    }

    /// Puts a whiteout at the old name. What is there may be a whiteout, or an empty file that was to become
    /// one; anything else is a user's, and stays. False: there is nothing, and no whiteout can be made.
    private func cover() -> Bool {
        guard let upper = changes.stack.upper, let parent = try? old.openParent(in: upper) else {
            return false
        }
        let name = OwnedName(old.name)
        if let status = try? parent.descriptor.status(at: name.ref) {
            guard status.isRegular && status.size == 0 else { return true }
            try? parent.descriptor.unlink(at: name.ref)
        }
        return (try? changes.layers.makeWhiteout(name.ref, in: parent.descriptor)) != nil
    }

    private func remove(_ object: OriginRecord, at path: SplitPath) {
        for layer in changes.stack.layers where isThere(object, at: path, in: layer) {
            remove(path, in: layer)
        }
    }

    /// Removes what is at the path. A directory that is empty for users may hold whiteouts.
    private func remove(_ path: SplitPath, in layer: Layer) {
        guard !layer.isReadOnly, let parent = try? path.openParent(in: layer) else { return }
        let name = OwnedName(path.name)
        if (try? parent.descriptor.unlink(at: name.ref)) != nil { return }
        if (try? parent.descriptor.removeDirectory(at: name.ref)) != nil { return }
        guard layer.isUpper else { return }
        try? changes.layers.evict(name.ref, in: parent.descriptor, at: path.buffer)
    }

    /// Takes back the preparations, as all parts are where they were.
    private func takeBack() -> Bool {
        if let completed = record.completed, let found = find(completed),
            let parent = try? old.openParent(in: found.layer)
        {
            let name = OwnedName(old.name)
            try? changes.layers.removeMark(.complete, from: name.ref, in: parent.descriptor)
        }
        guard let aside = record.aside, let upper = changes.stack.upper,
            let staging = changes.work.existingStaging()
        else { return true }
        let name = OwnedName(aside)
        guard (try? staging.descriptor.exists(at: name.ref)) == true else { return true }
        guard let parent = try? new.openParent(in: upper) else { return false }
        let newName = OwnedName(new.name)
        return
            (try? changes.layers.putInPlace(
                name.ref, from: staging.descriptor, newName.ref, in: parent.descriptor)) != nil
    }
}

/// A path, its parent's path and its last name.
private struct SplitPath {
    let whole: [UInt8]
    let parent: [UInt8]
    let name: [UInt8]

    init(_ path: [UInt8]) {
        whole = path
        let slash = path.lastIndex(of: 0x2f)
        parent = slash.map { Array(path[..<$0]) } ?? []
        name = slash.map { Array(path[($0 + 1)...]) } ?? path
    }

    var buffer: PathBuffer {
        var path = PathBuffer()
        let text = OwnedName(whole)
        path.append(text.ref)
        return path
    }

    func openParent(in layer: Layer) throws(Errno) -> OwnedDescriptor {
        let path = OwnedName(parent)
        return try layer.openDirectory(at: path.ref)
    }
}

extension Changes {
    /// Discards what the upper had under the new name. What it may hold unseen is kept.
    func discardAside(_ name: [UInt8], of path: borrowing PathBuffer) {
        let name = OwnedName(name)
        guard let staging = try? work.directory() else { return }
        if (try? staging.status(at: name.ref))?.isDirectory == true {
            try? layers.evict(name.ref, in: staging, at: path)
        } else {
            try? staging.unlink(at: name.ref)
        }
    }
}

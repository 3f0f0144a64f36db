internal import LinuxSystem
internal import SystemPackage

// Putting a new object under a name: the steps that create, mknod, mkdir, symlink and link share.

extension Changes {
    /// Opens the directory and finds all that stands under the name, hidden objects too. EPERM: flags of the
    /// directory, or of what the name stands for, forbid the change.
    func target(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity, for change: NameChange = .put
    ) throws(Errno) -> Target {
        try resolver.check(name)
        try layers.checkWritable()
        let directory = try resolver.node(parent)
        let view = try resolver.viewToLook(of: directory, for: caller)
        return try target(name, in: directory, view, for: change)
    }

    /// The same of a second name of one request. In the same directory it shares the view, if that can be shared.
    func target(
        _ parent: NodeID, _ name: PathRef, beside other: borrowing Target, _ caller: CallerIdentity,
        for change: NameChange
    ) throws(Errno) -> Target {
        guard parent == other.directory.id, let shared = other.view.shared else {
            return try target(parent, name, caller, for: change)
        }
        try resolver.check(name)
        return try target(name, in: other.directory, DirectoryView(shared), for: change)
    }

    private func target(
        _ name: PathRef, in directory: Node, _ view: consuming DirectoryView, for change: NameChange
    ) throws(Errno) -> Target {
        let lookup = try resolver.lookup(view, name, in: directory, all: true, filtered: true)
        try checkFlags(of: view, lookup, for: change)
        return Target(directory: directory, view: view, lookup: lookup)
    }

    /// Has `make` make the new object in the layer that the branch selector names, or in the second one if
    /// the first refuses. EEXIST: the union shows something there.
    func put<R: ~Copyable>(
        _ operation: SelectedOperation, _ name: PathRef, in target: inout Target, _ caller: CallerIdentity,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R {
        if target.lookup.isVisible { throw .fileExists }
        let plan = try creationPlan(
            for: operation, name, in: target.directory, target.view, target.lookup)
        do {
            return try put(name, in: &target, plan.first, caller, make)
        } catch {
            guard let second = plan.second, Candidates.isRefusal(error) else { throw error }
            return try put(name, in: &target, second, caller, make)
        }
    }

    /// Has `make` make the new object as planned. If it fails, everything is as it was.
    func put<R: ~Copyable>(
        _ name: PathRef, in target: inout Target, _ arrival: Arrival, _ caller: CallerIdentity,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R {
        let parent = try directory(of: target.directory, &target.view, in: arrival.layer)
        try makeRoom(for: arrival, name, in: target.directory, target.view)
        let made =
            arrival.replaced == nil
            ? try makeWhole(name, in: parent, arrival, make)
            : try makeOverWhiteout(name, in: parent, arrival, make)
        try show(arrival, name, in: parent, target, caller)
        return made
    }

    /// Makes the object with the mark that it needs, or not at all.
    private func makeWhole<R: ~Copyable>(
        _ name: PathRef, in parent: FileDescriptor, _ arrival: Arrival,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R {
        let made = try make(parent, arrival.layer)
        do {
            if arrival.mustBeComplete { try markComplete(name, in: parent) }
        } catch {
            remove(name, in: parent, arrival)
            throw error
        }
        return made
    }

    /// Lifts what hides the new object.
    private func show(
        _ arrival: Arrival, _ name: PathRef, in parent: FileDescriptor, _ target: borrowing Target,
        _ caller: CallerIdentity
    ) throws(Errno) {
        guard !arrival.above.isEmpty else { return }
        do {
            try uncover(arrival, name, in: target.directory, target.view, caller)
        } catch {
            remove(name, in: parent, arrival)
            if arrival.replaced != nil { try? layers.makeWhiteout(name, in: parent) }
            throw error
        }
    }

    /// Takes back what was just made.
    private func remove(_ name: PathRef, in parent: FileDescriptor, _ arrival: Arrival) {
        if arrival.isDirectory {
            try? parent.removeDirectory(at: name)
        } else {
            try? parent.unlink(at: name)
        }
    }

    /// Makes the object in place of the layer's own whiteout. It takes one step if it can, so that a crash
    /// leaves either. Otherwise no request looks between the two steps: the kernel holds the directory's lock
    /// over the whole operation.
    private func makeOverWhiteout<R: ~Copyable>(
        _ name: PathRef, in parent: FileDescriptor, _ arrival: Arrival,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R {
        if arrival.layer.isUpper, let made = try makeAside(name, in: parent, arrival, make) { return made }
        try parent.unlink(at: name)
        do {
            return try makeWhole(name, in: parent, arrival, make)
        } catch {
            try? layers.makeWhiteout(name, in: parent)
            throw error
        }
    }

    /// Makes the object in a directory of the work area, which gives it what the parent would have given it,
    /// and puts it in place by one rename. nil: something of that isn't possible here.
    private func makeAside<R: ~Copyable>(
        _ name: PathRef, in parent: FileDescriptor, _ arrival: Arrival,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R? {
        guard let staging = try? work.directory(), let status = try? parent.status() else { return nil }
        let temporary = work.temporaryName()
        guard (try? staging.makeDirectory(at: temporary.ref, mode: 0o700)) != nil else { return nil }
        defer { work.discard(temporary.ref) }
        guard let room = try? staging.openBeneath(temporary.ref, flags: [.path, .directory, .noFollow])
        else { return nil }
        layers.align(room.descriptor, with: parent, status)
        let made = try make(room.descriptor, arrival.layer)
        do {
            if arrival.mustBeComplete { try markComplete(name, in: room.descriptor) }
            try FileDescriptor.rename(
                from: room.descriptor, name, to: parent, name, flags: arrival.isDirectory ? .exchange : [])
            return made
        } catch {
            return nil
        }
    }

    /// The real directory in that layer. In the upper its skeleton is made if it is missing. EXDEV: a lower
    /// doesn't have the directory; nothing is made there that no user asked for.
    func directory(
        of directory: Node, _ view: inout DirectoryView, in layer: Layer
    ) throws(Errno) -> FileDescriptor {
        if layer.isUpper { return try upperDirectory(for: directory, &view) }
        guard let existing = view.directory(in: layer.index) else { throw .improperLink }
        return existing
    }

    func markComplete(_ name: PathRef, in parent: FileDescriptor) throws(Errno) {
        try layers.setMark(.complete, "y", on: name, in: parent)
    }
}

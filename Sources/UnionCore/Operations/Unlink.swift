public import LinuxSystem
internal import Synchronization
public import SystemPackage

extension Union {
    /// Removes the name from the union: from every layer where it stands, bottom up, so that an error leaves
    /// it visible and whole. What can't be removed, in a read-only layer or a directory that lay hidden, is
    /// covered by a whiteout in the upper.
    public func unlink(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        var target = try target(parent, name)
        guard let owner = target.survey.owner else { throw .noSuchFileOrDirectory }
        if owner.isDirectory { throw .isDirectory }
        let survey = target.survey
        let needsCover = survey.standings.contains { mustBeCovered($0) }
        let upper = needsCover ? try coverDirectory(for: &target) : nil
        let departing = depart(survey, name, in: target.directory, target.view)
        let change = OwnChange(coherence.noting, target.directory, name)
        try removeFiles(survey.standings, name, target.view, except: upper, caller)
        if let upper { try coverWithWhiteout(name, in: upper, of: target.directory) }
        departing.finish(target.directory, name)
        change.left(.absent)
        target.directory.noteRemoval()
        if keepsListings { habits.noteRemoval(caller.pid, parent) }
        dropEmptied(target.directory)
    }

    /// What only a whiteout can take from sight.
    func mustBeCovered(_ standing: Standing) -> Bool {
        !standing.isWhiteout && (standing.layer.isReadOnly || standing.isDirectory)
    }

    /// The upper's directory in which a whiteout is to be put. EROFS, or EBUSY where it is a hidden directory
    /// that it was for: there can't be one.
    func coverDirectory(for target: inout Target) throws(Errno) -> FileDescriptor {
        guard policies.whiteout == .auto, let upper = stack.upper, !upper.isReadOnly else {
            let isOnlyReadOnly = target.survey.standings.contains { !$0.isWhiteout && $0.layer.isReadOnly }
            throw isOnlyReadOnly ? .readOnlyFileSystem : .resourceBusy
        }
        return try upperDirectory(for: target.directory, &target.view)
    }

    /// Unlinks the files that stand under the name in writable layers, bottom up. The one in the upper is left
    /// where a whiteout is about to replace it (`except`).
    func removeFiles(
        _ standings: some BidirectionalCollection<Standing>, _ name: PathRef,
        _ view: borrowing DirectoryView, except upper: FileDescriptor?, _ caller: CallerIdentity
    ) throws(Errno) {
        for standing in standings.reversed() {
            if standing.isWhiteout || standing.isDirectory || standing.layer.isReadOnly { continue }
            if upper != nil && standing.layer.isUpper { continue }
            guard let directory = view.directory(in: standing.layer.index) else { continue }
            do {
                try asCaller(caller, in: directory) { () throws(Errno) in try directory.unlink(at: name) }
            } catch .noSuchFileOrDirectory where standing.layer !== standings.first?.layer {
                // Gone meanwhile, and it wasn't in sight.
            }
        }
    }
}

/// A node about to lose a name, and its real object, kept in reach until the kernel forgets it.
struct Departing: ~Copyable {
    let node: Node?
    private var object: OwnedDescriptor?

    init(node: Node?, object: consuming OwnedDescriptor?) {
        self.node = node
        self.object = object
    }

    /// The name is gone.
    consuming func finish(_ directory: Node, _ name: PathRef) {
        guard let node else { return }
        node.noteGone(from: directory, name)
        guard let object = object.take() else { return }
        let descriptor = object.release()
        let unneeded: FileDescriptor? = node.state.withLock { state in
            guard state.parked == nil, state.place == nil else { return descriptor }
            state.park(descriptor)
            return nil
        }
        if let unneeded { _ = OwnedDescriptor(owning: unneeded) }
    }
}

extension Union {
    /// Prepares for the loss of a name: clients that have the object open, or stand in it, go on with it.
    func depart(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) -> Departing {
        guard let standing = survey.owner,
            let node = knownNode(of: standing, name, in: directory)
        else {
            return Departing(node: nil, object: nil)
        }
        let isOpen = node.state.withLock { $0.openFiles?.count ?? 0 } > 0
        guard !isOpen, let real = view.directory(in: standing.layer.index) else {
            return Departing(node: node, object: nil)
        }
        return Departing(node: node, object: try? real.openBeneath(name, flags: [.path, .noFollow]))
    }

    /// The node that the kernel knows the standing object by.
    func knownNode(of standing: Standing, _ name: PathRef, in directory: Node) -> Node? {
        table.find(nodeIdentity(of: standing, name, in: directory))
    }
}

public import LinuxSystem
public import SystemPackage

/// What a rename is about, found out before anything is changed.
private struct RenamePlan: ~Copyable {
    var source: Target
    var destination: Target
    let name: PathRef
    let newName: PathRef
    /// The layer that owns what is renamed: the rename happens within it.
    let layer: Layer
    let moving: Standing
    let caller: CallerIdentity
}

extension Union {
    /// renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE. EXDEV where it would need a copy: for a merged
    /// directory, an object of a read-only layer, a new parent that has no place in the owner's layer.
    public func rename(
        _ parent: NodeID, _ name: PathRef, to newParent: NodeID, _ newName: PathRef, flags: UInt32,
        _ caller: CallerIdentity
    ) throws(Errno) {
        let flags = RenameFlags(rawValue: flags)
        guard flags.isSubset(of: [.noReplace, .exchange]), flags != [.noReplace, .exchange] else {
            throw .invalidArgument
        }
        let source = try target(parent, name)
        let destination = try target(newParent, newName)
        guard let moving = source.survey.owner else { throw .noSuchFileOrDirectory }
        if flags == .noReplace && destination.survey.isVisible { throw .fileExists }
        try checkReplacement(of: moving, source.survey, by: destination.survey)
        try checkMove(of: moving, to: destination)
        if source.survey.isMerged || moving.layer.isReadOnly { throw .improperLink }
        var plan = RenamePlan(
            source: source, destination: destination, name: name, newName: newName, layer: moving.layer,
            moving: moving, caller: caller)
        if flags == .exchange {
            try exchange(&plan)
        } else {
            try rename(&plan, flags)
        }
    }

    /// The steps of a rename: everything that may fail for a reason of the union's comes first.
    private func rename(_ plan: inout RenamePlan, _ flags: RenameFlags) throws(Errno) {
        try checkReplaceable(plan)
        let (from, to) = try directories(of: &plan)
        if plan.layer.isUpper {
            try makeRoom(for: plan.newName, in: to, of: plan.destination.directory, plan.destination.survey)
        }
        let cover = try coverForOldName(&plan)
        try removeFiles(plan.source.survey.hidden, plan.name, plan.source.view, except: nil, plan.caller)
        let isMarked = try completeBeforeMove(plan, from)
        let departing = departingTarget(plan)
        let leaving = OwnChange(coherence.noting, plan.source.directory, plan.name)
        let arriving = OwnChange(coherence.noting, plan.destination.directory, plan.newName)
        renames.begin()
        defer { renames.end() }
        do {
            try moveReal(plan, from, to, flags, keepsTarget: cover != nil)
        } catch {
            if isMarked { unmarkComplete(plan.name, in: from) }
            throw error
        }
        keepMoved(plan.moving, at: plan.newName, in: to)
        if isSameObject(plan) {
            // Two names of one file: rename(2) did nothing and brings no event, but the kernel, which knew
            // them as two, has moved one over the other.
            noteReplaced(plan)
            return dropNames(of: plan)
        }
        let moved = finish(plan, departing)
        if let cover { try coverWithWhiteout(plan.name, in: cover, of: plan.source.directory) }
        try uncover(plan)
        leaving.left(.absent)
        if let moved {
            arriving.left(.present(moved.id))
        } else {
            noteReplaced(plan)
            dropNames(of: plan)
        }
        dropEmptied(plan.source.directory)
    }

    private func isSameObject(_ plan: borrowing RenamePlan) -> Bool {
        guard let replaced = plan.destination.survey.owner, replaced.layer === plan.layer else {
            return false
        }
        return identity(of: replaced) == identity(of: plan.moving)
    }

    /// The kernel moves what it knew by the old name. Where that wasn't what the layer moved, as somebody else
    /// was there a moment before, both names must be asked for again: the move itself may bring no event.
    private func dropNames(of plan: borrowing RenamePlan) {
        guard coherence.plan.isLasting else { return }
        for (node, name) in [
            (plan.source.directory, plan.name), (plan.destination.directory, plan.newName),
        ] {
            coherence.invalidator.appendName(node.id, name)
        }
    }

    /// Where the kernel knew two directories by the names, it takes the second for removed by now.
    private func noteReplaced(_ plan: borrowing RenamePlan) {
        guard coherence.plan.isLasting, !plan.moving.isDirectory else { return }
        let key = OwnChanges.Key(plan.destination.directory.id, plan.newName)
        coherence.invalidator.append(.replaced(key, coherence.tick()))
    }

    /// The rules of rename(2) on what stands under the new name, as the union shows it.
    private func checkReplaceable(_ plan: borrowing RenamePlan) throws(Errno) {
        let survey = plan.destination.survey
        guard let replaced = survey.owner else { return }
        switch (plan.moving.isDirectory, replaced.isDirectory) {
        case (true, false): throw .notDirectory
        case (false, true): throw .isDirectory
        case (true, true):
            try checkEmpty(survey, plan.newName, in: plan.destination.directory, plan.destination.view)
        case (false, false): break
        }
        // What stands in a higher layer must go after the rename.
        for standing in survey.standings where standing.layer.index < plan.layer.index {
            if standing.layer.isReadOnly { throw .improperLink }
        }
    }

    /// The real directories of both names in the owner's layer.
    private func directories(
        of plan: inout RenamePlan
    ) throws(Errno) -> (from: FileDescriptor, to: FileDescriptor) {
        let from = try directory(of: plan.source.directory, &plan.source.view, in: plan.layer)
        let to = try directory(of: plan.destination.directory, &plan.destination.view, in: plan.layer)
        return (from, to)
    }

    /// Where the old name must be covered afterwards, as something below would show that can't be removed.
    private func coverForOldName(_ plan: inout RenamePlan) throws(Errno) -> FileDescriptor? {
        guard plan.source.survey.hidden.contains(where: { mustBeCovered($0) }) else { return nil }
        return try coverDirectory(for: &plan.source)
    }

    /// A directory that comes to stand over directories of lower layers must not be merged with them.
    /// Returns whether the mark was set here.
    private func completeBeforeMove(
        _ plan: borrowing RenamePlan, _ from: FileDescriptor
    ) throws(Errno) -> Bool {
        guard plan.moving.isDirectory, coversDirectories(plan.destination, plan.layer),
            !marks(of: plan.name, in: from).contains(.complete)
        else { return false }
        do {
            try markComplete(plan.name, in: from)
            return true
        } catch {
            throw .improperLink
        }
    }

    /// Whether lower layers have, or a whiteout hides, a directory of that name.
    private func coversDirectories(_ destination: borrowing Target, _ layer: Layer) -> Bool {
        destination.survey.standings.contains {
            $0.isWhiteout || $0.isDirectory && $0.layer.index > layer.index
        }
    }

    private func unmarkComplete(_ name: PathRef, in directory: FileDescriptor) {
        try? remove(.complete, from: name, in: directory)
    }

    private func departingTarget(_ plan: borrowing RenamePlan) -> Departing {
        guard plan.destination.survey.isVisible else { return Departing(node: nil, object: nil) }
        return depart(
            plan.destination.survey, plan.newName, in: plan.destination.directory, plan.destination.view)
    }

    /// The rename itself. A directory can't replace a whiteout, nor a directory that holds whiteouts: they
    /// change places, and what comes to the old name goes, unless a whiteout is wanted there anyway.
    private func moveReal(
        _ plan: borrowing RenamePlan, _ from: FileDescriptor, _ to: FileDescriptor, _ flags: RenameFlags,
        keepsTarget: Bool
    ) throws(Errno) {
        let (name, newName) = (plan.name, plan.newName)
        let there = plan.destination.survey.standings.first { $0.layer === plan.layer }
        // A whiteout may be replaced though something new is asked for.
        let flags = there == nil ? flags : []
        do {
            return try asCaller(plan.caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName, flags: flags)
            }
        } catch {
            guard let there, plan.moving.isDirectory, plan.layer.isUpper,
                [.directoryNotEmpty, .fileExists, .notDirectory].contains(error)
            else { throw error }
            try changePlaces(plan, there, from, to, keepsTarget: keepsTarget)
        }
    }

    private func changePlaces(
        _ plan: borrowing RenamePlan, _ there: Standing, _ from: FileDescriptor, _ to: FileDescriptor,
        keepsTarget: Bool
    ) throws(Errno) {
        let (name, newName) = (plan.name, plan.newName)
        try asCaller(plan.caller, in: from) { () throws(Errno) in
            try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
        }
        if keepsTarget { return }
        if there.isDirectory {
            let path = try path(of: newName, in: plan.destination.directory)
            try putAside(name, in: from, at: path)
        } else {
            try from.unlink(at: name)
        }
    }

    /// Returns the node that moved, where the kernel knew it by the old name.
    private func finish(_ plan: borrowing RenamePlan, _ departing: consuming Departing) -> Node? {
        if plan.moving.isDirectory {
            disown(departing.node, at: plan.destination.directory, plan.newName)
        }
        departing.finish(plan.destination.directory, plan.newName)
        let node = movedNode(plan.moving, plan.name, plan.source.directory)
        // Directories have been at many places: what the kernel knew by the name is asked for again.
        let wasKnown =
            !plan.moving.isDirectory
            && node?.places.contains { $0.isAt(plan.source.directory, plan.name) && $0.isCurrent } ?? false
        node?.noteMoved(
            from: plan.source.directory, plan.name, to: plan.destination.directory, plan.newName,
            layer: plan.layer.index, at: coherence.now)
        return wasKnown ? node : nil
    }

    /// The node of what was at (directory, name): it is known by its identity or by its place.
    private func movedNode(_ standing: Standing, _ name: PathRef, _ directory: Node) -> Node? {
        let identity = self.identity(of: standing)
        if let node = table.find(identity), !standing.isDirectory { return node }
        if let node = table.find(identity), let place = node.place, place.isAt(directory, name) {
            return node
        }
        return knownNode(of: standing, name, in: directory)
    }

    /// Takes away what stands above the renamed object, the topmost last: until then it is what shows.
    private func uncover(_ plan: borrowing RenamePlan) throws(Errno) {
        let name = plan.newName
        for standing in plan.destination.survey.standings.reversed()
        where standing.layer.index < plan.layer.index {
            guard let directory = plan.destination.view.directory(in: standing.layer.index) else { continue }
            if standing.isWhiteout {
                try directory.unlink(at: name)
            } else if !standing.isDirectory {
                try asCaller(plan.caller, in: directory) { () throws(Errno) in
                    try directory.unlink(at: name)
                }
            } else if try !removePlain(name, in: directory, plan.caller) {
                guard standing.layer.isUpper else { throw .directoryNotEmpty }
                try putAside(name, in: directory, at: try path(of: name, in: plan.destination.directory))
            }
        }
    }
}

// RENAME_EXCHANGE
extension Union {
    private func exchange(_ plan: inout RenamePlan) throws(Errno) {
        guard let other = plan.destination.survey.owner else { throw .noSuchFileOrDirectory }
        if plan.destination.survey.isMerged || other.layer !== plan.layer { throw .improperLink }
        let (from, to) = try directories(of: &plan)
        try completeForExchange(plan.moving, plan.name, in: from, over: plan.destination.survey)
        try completeForExchange(other, plan.newName, in: to, over: plan.source.survey)
        let (name, newName) = (plan.name, plan.newName)
        let (directory, newDirectory) = (plan.source.directory, plan.destination.directory)
        let moving = movedNode(plan.moving, name, directory)
        let moved = movedNode(other, newName, newDirectory)
        renames.begin()
        defer { renames.end() }
        try asCaller(plan.caller, in: from) { () throws(Errno) in
            try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
        }
        keepMoved(plan.moving, at: newName, in: to)
        keepMoved(other, at: name, in: from)
        let (layer, now) = (plan.layer.index, coherence.now)
        moving?.noteMoved(from: directory, name, to: newDirectory, newName, layer: layer, at: now)
        moved?.noteMoved(from: newDirectory, newName, to: directory, name, layer: layer, at: now)
        dropNames(of: plan)
    }

    private func completeForExchange(
        _ standing: Standing, _ name: PathRef, in directory: FileDescriptor, over survey: Survey
    ) throws(Errno) {
        guard standing.isDirectory, survey.hidden.contains(where: \.isDirectory),
            !marks(of: name, in: directory).contains(.complete)
        else { return }
        do {
            try markComplete(name, in: directory)
        } catch {
            throw .improperLink
        }
    }
}

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
        let source = try target(parent, name, caller)
        let destination = try target(newParent, newName, caller)
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
        let departing = departingTarget(plan)
        let leaving = OwnChange(coherence.noting, plan.source.directory, plan.name)
        let arriving = OwnChange(coherence.noting, plan.destination.directory, plan.newName)
        let isMarked = try completeBeforeMove(plan, from)
        renames.begin()
        defer { renames.end() }
        do {
            try moveReal(plan, from, to, flags, keepsTarget: cover != nil)
        } catch {
            if isMarked { unmarkComplete(plan) }
            throw error
        }
        keepMoved(plan.moving, at: plan.newName, in: to)
        noteMoved(plan)
        departing.finish()
        if let cover { try coverWithWhiteout(plan.name, in: cover, of: plan.source.directory) }
        try uncover(plan)
        leaving.left(by: plan.caller)
        arriving.left(by: plan.caller)
        dropEmptied(plan.source.directory)
    }

    /// The kernel moves what it knew by the old name over what it knew by the new one. Where that isn't what the layer
    /// did, as somebody else stood there a moment before, both names are looked at again.
    private func noteMoved(_ plan: borrowing RenamePlan) {
        let (from, to) = (plan.source.directory, plan.destination.directory)
        let isSameFile = isSameObject(plan)
        noteChanged(from, to)
        let moving = knownNode(plan.source.survey, plan.name, in: from)
        let place = from.untell(plan.name)
        let moved = place.flatMap { table.find($0.node) }
        if let place { moved?.forget(place, isGone: !isSameFile) }
        if let moved { put(moved, at: plan.newName, in: to, plan.layer) }
        if let moving, moving !== moved {
            moving.noteSeen(
                at: Place(of: moving, in: to, plan.newName, layer: plan.layer.index, told: coherence.now))
        }
        // The marks that it got are no news.
        if let moved, moved.isDirectory { try? takeMakeup(of: moved) }
        // Two names of one file: rename(2) did nothing, and brings no event.
        if isSameFile || moving == nil || moving !== moved { lookAgain(at: plan) }
    }

    /// Looks from before the change aren't told any more: they would say that things are where they were.
    private func noteChanged(_ from: Node, _ to: Node) {
        from.noteKept(coherence.tick())
        to.noteKept(coherence.tick())
    }

    /// The kernel knows the node by the name from now on.
    private func put(_ node: Node, at name: PathRef, in directory: Node, _ layer: Layer) {
        let place = Place(of: node, in: directory, name, layer: layer.index, told: coherence.now)
        let displaced = directory.notePut(place)
        if let displaced, displaced.node != node.id { noteDisplaced(displaced) }
        noteDropped(name, from: directory)
        if node.isDirectory && displaced?.isSure == false { noteDead(at: name, in: directory) }
        node.noteSeen(at: place)
    }

    private func lookAgain(at plan: borrowing RenamePlan) {
        guard coherence.plan.isLasting else { return }
        coherence.invalidator.appendName(plan.source.directory.id, plan.name)
        coherence.invalidator.appendName(plan.destination.directory.id, plan.newName)
    }

    private func isSameObject(_ plan: borrowing RenamePlan) -> Bool {
        guard let replaced = plan.destination.survey.owner, replaced.layer === plan.layer else {
            return false
        }
        return identity(of: replaced) == identity(of: plan.moving)
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

    /// A directory that comes to stand over directories of lower layers must not be merged with them, nor must anything
    /// below it, from its first moment there: what it may be backed by is settled before it moves. (Where it stands now
    /// nothing lies below it.) Returns whether the mark was set here.
    private func completeBeforeMove(
        _ plan: borrowing RenamePlan, _ from: FileDescriptor
    ) throws(Errno) -> Bool {
        guard plan.moving.isDirectory, coversDirectories(plan.destination, plan.layer) else { return false }
        let isMarked = try markCompleteUnlessMarked(plan.name, in: from)
        if let node = knownNode(plan.source.survey, plan.name, in: plan.source.directory) {
            node.lowerFloor(to: plan.layer.index, at: coherence.tick())
        }
        return isMarked
    }

    private func markCompleteUnlessMarked(
        _ name: PathRef, in directory: FileDescriptor
    ) throws(Errno) -> Bool {
        guard !marks(of: name, in: directory).contains(.complete) else { return false }
        do {
            try markComplete(name, in: directory)
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

    private func unmarkComplete(_ plan: borrowing RenamePlan) {
        guard let directory = plan.source.view.directory(in: plan.layer.index) else { return }
        try? remove(.complete, from: plan.name, in: directory)
    }

    private func departingTarget(_ plan: borrowing RenamePlan) -> Departing {
        guard plan.destination.survey.isVisible, !isSameObject(plan) else { return Departing(nil, nil) }
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
        let leaving = OwnChange(coherence.noting, plan.source.directory, plan.name)
        let arriving = OwnChange(coherence.noting, plan.destination.directory, plan.newName)
        let (name, newName) = (plan.name, plan.newName)
        try completeForExchange(plan.source, name, in: from, over: plan.destination.survey)
        try completeForExchange(plan.destination, newName, in: to, over: plan.source.survey)
        renames.begin()
        defer { renames.end() }
        try asCaller(plan.caller, in: from) { () throws(Errno) in
            try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
        }
        keepMoved(plan.moving, at: newName, in: to)
        keepMoved(other, at: name, in: from)
        noteExchanged(plan)
        leaving.left(by: plan.caller)
        arriving.left(by: plan.caller)
    }

    private func noteExchanged(_ plan: borrowing RenamePlan) {
        let (from, to) = (plan.source.directory, plan.destination.directory)
        noteChanged(from, to)
        let moving = knownNode(plan.source.survey, plan.name, in: from)
        let other = knownNode(plan.destination.survey, plan.newName, in: to)
        let moved = take(plan.name, from: from)
        let exchanged = take(plan.newName, from: to)
        if let moved { put(moved, at: plan.newName, in: to, plan.layer) }
        if let exchanged { put(exchanged, at: plan.name, in: from, plan.layer) }
        for node in [moved, exchanged] where node?.isDirectory == true {
            if let node { try? takeMakeup(of: node) }
        }
        if moving == nil || other == nil || moving !== moved || other !== exchanged { lookAgain(at: plan) }
    }

    /// What the kernel knew by the name, which it knows by another one now.
    private func take(_ name: PathRef, from directory: Node) -> Node? {
        guard let place = directory.untell(name), let node = table.find(place.node) else { return nil }
        node.forget(place, isGone: true)
        return node
    }

    private func completeForExchange(
        _ target: borrowing Target, _ name: PathRef, in directory: FileDescriptor, over survey: Survey
    ) throws(Errno) {
        guard let standing = target.survey.owner, standing.isDirectory,
            survey.hidden.contains(where: \.isDirectory)
        else { return }
        _ = try markCompleteUnlessMarked(name, in: directory)
        knownNode(target.survey, name, in: target.directory)?
            .lowerFloor(to: standing.layer.index, at: coherence.tick())
    }
}

internal import LinuxSystem
internal import SystemPackage

// The rename of a directory that several layers back: one rename in each of them, whatever is in it. To who looks through
// the union it is one step (`MergedRenames`), and a crash leaves none of it or all (`RenameRecord`).

/// One layer's part of a merged directory that moves.
private struct MovingPart {
    let standing: Standing
    let from: FileDescriptor
    let to: FileDescriptor
    /// What has the new name in that layer: an empty directory, or what nobody sees.
    var replaced: FileStatus?
    let isPseudo: Bool
    /// What was replaced has the old name now.
    var isExchanged = false
}

/// What the rename of a merged directory is about, found out before anything is changed.
private struct MergedRename: ~Copyable {
    var source: Target
    var destination: Target
    let name: PathRef
    let newName: PathRef
    let caller: CallerIdentity
    /// What is said where it can't be.
    let refusal: Errno
    /// In the order in which they move.
    var parts: [MovingPart] = []
    /// Lower layers have directories of the new name, which mustn't become part of it.
    var shutsOut = false
    /// What the upper has under the new name, and must make way.
    var inTheWay: FileStatus?
    /// Where a whiteout is to cover the old name.
    var cover: FileDescriptor?
    /// It failed, and couldn't be undone: the next mount must.
    var isTorn = false

    /// The lowest part: a mark on it shuts out what lies below.
    var lowest: MovingPart? { parts.max { $0.standing.layer.index < $1.standing.layer.index } }
}

/// What was done of it so far, in this order.
private struct MergedProgress {
    var isAside = false
    /// How many parts have moved.
    var moved = 0
    var isCovered = false
}

/// What is there before anything moves, and goes when all has.
private struct MergedPreparation: ~Copyable {
    /// The lowest part was marked complete.
    let isMarked: Bool
    /// The name in the staging directory for what is in the way.
    let aside: [UInt8]?
    /// Where the record is.
    let journal: OwnedDescriptor
    let record: [UInt8]
}

extension Union {
    /// Renames a merged directory in each layer that backs it. EXDEV where one of them can't take part, EPERM instead
    /// where a pseudo filesystem has a part: nobody shall copy its files. ESTALE, upon which the kernel looks again: the
    /// names have changed meanwhile. A layer's own error: nothing is changed.
    func renameMerged(
        _ source: consuming Target, _ name: PathRef, to destination: consuming Target, _ newName: PathRef,
        _ flags: RenameFlags, _ caller: CallerIdentity, tries: Int = 0
    ) throws(Errno) {
        let (parent, newParent) = (source.directory.id, destination.directory.id)
        do throws(Errno) {
            return try renameAsPlanned(source, name, to: destination, newName, flags, caller)
        } catch {
            guard error == .staleNFSFileHandle, tries < Self.mostPlans else { throw error }
        }
        // Most likely a skeleton was just made, or taken back for the sake of this rename.
        let source = try target(parent, name, caller)
        let destination = try target(newParent, newName, caller)
        guard source.survey.isMerged, flags != .noReplace || !destination.survey.isVisible else {
            throw .staleNFSFileHandle
        }
        try renameMerged(source, name, to: destination, newName, flags, caller, tries: tries + 1)
    }

    private static var mostPlans: Int { 16 }

    private func renameAsPlanned(
        _ source: consuming Target, _ name: PathRef, to destination: consuming Target, _ newName: PathRef,
        _ flags: RenameFlags, _ caller: CallerIdentity
    ) throws(Errno) {
        try checkParts(of: source.survey)
        let refusal = refusal(of: source.survey)
        if flags == .exchange { throw refusal }
        if source.directory === destination.directory && name == newName { return }
        var rename = MergedRename(
            source: source, destination: destination, name: name, newName: newName, caller: caller,
            refusal: refusal)
        try plan(&rename)
        try renameParts(&rename)
        leaveEmptied(rename.source.directory)
    }

    /// EXDEV, or EPERM, where a layer that backs the directory may not be changed, or there is nowhere to write down what is
    /// under way. EROFS, EBUSY: the old name would take a whiteout, and there can be none.
    func checkParts(of survey: Survey) throws(Errno) {
        if survey.visible.contains(where: \.layer.isReadOnly) || !work.takesJournals {
            throw refusal(of: survey)
        }
        if survey.hidden.contains(where: { mustBeCovered($0) }) { try checkCover(survey) }
    }

    private func refusal(of survey: Survey) -> Errno {
        let hasPseudoPart = survey.visible.contains {
            !$0.layer.isReadOnly && !$0.layer.isUpper && isPseudo($0)
        }
        return hasPseudoPart ? .notPermitted : .improperLink
    }
}

// Planning
extension Union {
    private func plan(_ rename: inout MergedRename) throws(Errno) {
        let survey = rename.destination.survey
        if let replaced = survey.owner {
            guard replaced.isDirectory else { throw .notDirectory }
            try checkEmpty(survey, rename.newName, in: rename.destination.directory, rename.destination.view)
        }
        let replaced = try lookAround(&rename)
        try findParts(&rename, replaced)
        // From here on something may be made in the upper, which nobody sees.
        if rename.source.survey.hidden.contains(where: { mustBeCovered($0) }) {
            rename.cover = try coverDirectory(for: &rename.source)
        }
        guard let unseen = rename.destination.survey.unseen, let upper = stack.upper else { return }
        let directory = try directory(of: rename.destination.directory, &rename.destination.view, in: upper)
        let path = try path(of: rename.newName, in: rename.destination.directory)
        try setAside(rename.newName, in: directory, at: path, expecting: unseen.status)
    }

    private func coverDirectory(for target: inout Target) throws(Errno) -> FileDescriptor {
        try checkCover(target.survey)
        return try upperDirectory(for: target.directory, &target.view)
    }

    /// Looks at all that has the new name, whether it is seen or not. Returns what stands in the way of parts in their own
    /// layers.
    private func lookAround(_ rename: inout MergedRename) throws(Errno) -> [Int: FileStatus] {
        let visible = rename.source.survey.visible
        // By a rule the layers may be looked at in another order.
        guard let lowest = visible.last?.layer.index, let topmost = visible.first?.layer.index,
            topmost < lowest,
            readPolicy(of: rename.newName, in: rename.destination.directory, rename.destination.view) == nil
        else { throw rename.refusal }
        let unseen = rename.destination.survey.unseen
        var replaced: [Int: FileStatus] = [:]
        for backing in rename.destination.view.backings {
            let layer = backing.layer
            let found = try standing(of: rename.newName, in: backing, isLowest: false)
            if layer.index > lowest {
                rename.shutsOut = found?.isDirectory == true
                if found != nil || hidesBelow(rename.newName, backing) { break }
                continue
            }
            if layer.index < lowest, hidesBelow(rename.newName, backing) { throw rename.refusal }
            if let found {
                if layer.isUpper {
                    if layer.isReadOnly { throw rename.refusal }
                    if unseen?.layer !== layer { rename.inTheWay = found.status }
                } else if visible.contains(where: { $0.layer === layer }) {
                    try checkReplaceable(found, in: backing, rename)
                    replaced[layer.index] = found.status
                } else {
                    throw rename.refusal
                }
            }
            if hidesBelow(rename.newName, backing) { break }
        }
        return replaced
    }

    private func hidesBelow(_ name: PathRef, _ backing: DirectoryView.Backing) -> Bool {
        backing.layer.isOCI && isOCIWhiteout(name, in: backing.directory)
    }

    /// What a part is to replace in its own layer must be such that it can be removed for good, or be put back.
    private func checkReplaceable(
        _ found: Standing, in backing: DirectoryView.Backing, _ rename: borrowing MergedRename
    ) throws(Errno) {
        // That is for the layer to say.
        if isPseudo(found) || !found.isDirectory { return }
        let real = try backing.directory.openBeneath(
            rename.newName, flags: [.readOnly, .directory, .noFollow])
        var stream = DirectoryStream(reading: real.descriptor)
        while let entry = try stream.next() {
            // Whiteouts above hide it.
            if !entry.name.isDots { throw rename.refusal }
        }
    }

    /// Pseudo filesystems go first, as they refuse most; the upper goes last.
    private func findParts(_ rename: inout MergedRename, _ replaced: [Int: FileStatus]) throws(Errno) {
        let visible = rename.source.survey.visible
        // Nothing is made for what can't be.
        for standing in visible where !standing.layer.isUpper {
            if rename.destination.view.directory(in: standing.layer.index) == nil { throw rename.refusal }
        }
        let lowers = visible.reversed().filter { !$0.layer.isUpper }
        let ordered = lowers.filter { isPseudo($0) } + lowers.filter { !isPseudo($0) }
        for standing in ordered + visible.filter(\.layer.isUpper) {
            let layer = standing.layer
            let from = try directory(of: rename.source.directory, &rename.source.view, in: layer)
            let to = try directory(of: rename.destination.directory, &rename.destination.view, in: layer)
            if standing.marks.contains(.skeleton) { try noteHolder(to) }
            rename.parts.append(
                MovingPart(
                    standing: standing, from: from, to: to, replaced: replaced[layer.index],
                    isPseudo: !layer.isUpper && isPseudo(standing)))
        }
    }
}

// Doing
extension Union {
    private func renameParts(_ rename: inout MergedRename) throws(Errno) {
        let prepared = try prepare(rename)
        let departing = departingTarget(rename)
        let leaving = OwnChange(coherence.noting, rename.source.directory, rename.name)
        let arriving = OwnChange(coherence.noting, rename.destination.directory, rename.newName)
        do throws(Errno) {
            try moveAsOne(&rename, prepared)
        } catch {
            if !rename.isTorn { takeBack(rename, prepared) }
            throw error
        }
        departing.finish()
        leaving.left(by: rename.caller)
        arriving.left(by: rename.caller)
        finish(rename, prepared)
    }

    private func departingTarget(_ rename: borrowing MergedRename) -> Departing {
        guard rename.destination.survey.isVisible else { return Departing(nil, nil) }
        return depart(
            rename.destination.survey, rename.newName, in: rename.destination.directory,
            rename.destination.view)
    }

    /// Marks what must be marked, and writes down what is about to be done.
    private func prepare(_ rename: borrowing MergedRename) throws(Errno) -> MergedPreparation {
        let isMarked = try shutOut(rename)
        do throws(Errno) {
            let aside = rename.inTheWay == nil ? nil : work.asideName()
            let journal = try work.journal(create: true)
            let name = work.recordName()
            try RenameJournal.write(
                try record(of: rename, aside: aside, isMarked: isMarked), as: name, in: journal.descriptor)
            return MergedPreparation(isMarked: isMarked, aside: aside, journal: journal, record: name)
        } catch {
            if isMarked { unmark(rename) }
            // There is nowhere to write it down.
            throw error == .readOnlyFileSystem ? rename.refusal : error
        }
    }

    /// What lower layers have of the new name mustn't become part of the directory, from its first moment there. (Where
    /// it stands now nothing lies below it.)
    private func shutOut(_ rename: borrowing MergedRename) throws(Errno) -> Bool {
        guard rename.shutsOut, let lowest = rename.lowest else { return false }
        let isMarked: Bool
        if marks(of: rename.name, in: lowest.from).contains(.complete) {
            isMarked = false
        } else {
            do throws(Errno) {
                try markComplete(rename.name, in: lowest.from)
            } catch {
                throw rename.refusal
            }
            isMarked = true
        }
        if let node = knownNode(rename.source.survey, rename.name, in: rename.source.directory) {
            node.lowerFloor(to: lowest.standing.layer.index, at: coherence.tick())
        }
        return isMarked
    }

    private func unmark(_ rename: borrowing MergedRename) {
        if let lowest = rename.lowest { try? remove(.complete, from: rename.name, in: lowest.from) }
    }

    private func record(
        of rename: borrowing MergedRename, aside: [UInt8]?, isMarked: Bool
    ) throws(Errno) -> RenameRecord {
        let old = try path(of: rename.name, in: rename.source.directory)
        let new = try path(of: rename.newName, in: rename.destination.directory)
        var record = RenameRecord(from: unsafe Array(old.ref.bytes), to: unsafe Array(new.ref.bytes))
        for part in rename.parts {
            let origin = try identify(rename.name, in: part.from, part.standing.layer)
            let isReplacing = part.replaced != nil || part.standing.layer.isUpper && rename.inTheWay != nil
            // Nobody could tell the one from the other afterwards.
            if origin.isKnownByNameAlone && isReplacing { throw rename.refusal }
            record.parts.append(origin)
            if isMarked, part.standing.layer === rename.lowest?.standing.layer { record.completed = origin }
            if part.replaced != nil && !part.isPseudo {
                record.remains.append(try identify(rename.newName, in: part.to, part.standing.layer))
            }
        }
        record.isCovered = rename.cover != nil
        if rename.cover == nil {
            for standing in rename.source.survey.hidden where !standing.isWhiteout {
                guard let directory = rename.source.view.directory(in: standing.layer.index) else { continue }
                record.remains.append(try identify(rename.name, in: directory, standing.layer))
            }
        }
        record.aside = aside
        return record
    }

    private func identify(
        _ name: PathRef, in directory: FileDescriptor, _ layer: Layer
    ) throws(Errno) -> OriginRecord {
        let object = try directory.openBeneath(name, flags: [.path, .noFollow])
        return try OriginRecord(of: object.descriptor, try object.descriptor.status(), in: layer)
    }

    /// Nobody looks at either name until this returns.
    private func moveAsOne(
        _ rename: inout MergedRename, _ prepared: borrowing MergedPreparation
    ) throws(Errno) {
        let serial = mergedRenames.begin(
            MergedRenames.Move(
                from: OwnChanges.Key(rename.source.directory.id, rename.name),
                to: OwnChanges.Key(rename.destination.directory.id, rename.newName)))
        renames.begin()
        defer {
            mergedRenames.end(serial)
            renames.end()
        }
        try checkUnchanged(rename)
        var progress = MergedProgress()
        do throws(Errno) {
            try move(&rename, prepared, &progress)
        } catch {
            rename.isTorn = !undo(rename, prepared, progress)
            throw error
        }
        removeRemains(&rename)
        noteMoved(rename)
    }

    private func move(
        _ rename: inout MergedRename, _ prepared: borrowing MergedPreparation,
        _ progress: inout MergedProgress
    ) throws(Errno) {
        if let aside = prepared.aside, let upper = stack.upper,
            let directory = rename.destination.view.directory(in: upper.index)
        {
            let aside = OwnedName(aside)
            try FileDescriptor.rename(
                from: directory, rename.newName, to: try work.directory(), aside.ref)
            progress.isAside = true
        }
        let (name, newName, caller) = (rename.name, rename.newName, rename.caller)
        for index in rename.parts.indices {
            try move(&rename.parts[index], name, newName, caller)
            progress.moved += 1
        }
        guard let cover = rename.cover else {
            return try removeFiles(
                rename.source.survey.hidden, name, rename.source.view, except: nil, caller)
        }
        try makeWhiteout(name, in: cover)
        progress.isCovered = true
    }

    /// The real rename. What is replaced comes to the old name, so that it can come back.
    private func move(
        _ part: inout MovingPart, _ name: PathRef, _ newName: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        let (from, to, layer) = (part.from, part.to, part.standing.layer)
        guard let replaced = part.replaced, !part.isPseudo else {
            let isPseudo = part.isPseudo
            return try asCaller(caller, in: from) { () throws(Errno) in
                if isPseudo { return try FileDescriptor.rename(from: from, name, to: to, newName) }
                try putInPlace(name, from: from, newName, in: to)
            }
        }
        do throws(Errno) {
            try asCaller(caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
            }
            part.isExchanged = true
        } catch {
            guard replaced.isDirectory, !layer.isUpper,
                [.invalidArgument, .permissionDenied, .notPermitted, .notSupported].contains(error)
            else { throw error }
            try asCaller(caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName)
            }
        }
    }

    /// False: something stays where it came to.
    private func undo(
        _ rename: borrowing MergedRename, _ prepared: borrowing MergedPreparation, _ progress: MergedProgress
    ) -> Bool {
        var isWhole = true
        func attempt(_ step: () throws(Errno) -> Void) {
            do throws(Errno) { try step() } catch { isWhole = false }
        }
        let (name, newName) = (rename.name, rename.newName)
        if progress.isCovered, let cover = rename.cover {
            attempt { () throws(Errno) in try cover.unlink(at: name) }
        }
        for part in rename.parts.prefix(progress.moved).reversed() {
            attempt { () throws(Errno) in try moveBack(part, name, newName) }
        }
        if progress.isAside, let aside = prepared.aside, let upper = stack.upper,
            let directory = rename.destination.view.directory(in: upper.index)
        {
            let aside = OwnedName(aside)
            attempt { () throws(Errno) in
                try putInPlace(aside.ref, from: try work.directory(), newName, in: directory)
            }
        }
        return isWhole
    }

    private func moveBack(_ part: MovingPart, _ name: PathRef, _ newName: PathRef) throws(Errno) {
        let flags: RenameFlags = part.isExchanged ? .exchange : []
        try FileDescriptor.rename(from: part.to, newName, to: part.from, name, flags: flags)
        guard let replaced = part.replaced, !part.isExchanged, !part.isPseudo else { return }
        try part.to.makeDirectory(at: newName, mode: 0o700)
        let made = try part.to.openBeneath(newName, flags: [.path, .directory, .noFollow])
        try made.descriptor.changeOwner(uid: replaced.uid, gid: replaced.gid)
        try made.descriptor.changeMode(replaced.permissions)
    }

    /// ESTALE: the names aren't what they were when this was planned.
    private func checkUnchanged(_ rename: borrowing MergedRename) throws(Errno) {
        for part in rename.parts {
            try check(rename.name, in: part.from, is: part.standing.status)
            let replaced = part.standing.layer.isUpper ? rename.inTheWay : part.replaced
            try check(rename.newName, in: part.to, is: replaced)
        }
        guard let upper = stack.upper, !rename.parts.contains(where: { $0.standing.layer === upper }) else {
            return
        }
        // A skeleton may have been made meanwhile.
        let path = try path(of: rename.name, in: rename.source.directory)
        if rename.source.survey.unseen == nil, let stray = try? upper.openObject(at: path.ref) {
            _ = consume stray
            throw .staleNFSFileHandle
        }
    }

    private func check(
        _ name: PathRef, in directory: FileDescriptor, is expected: FileStatus?
    ) throws(Errno) {
        let now = try? directory.status(at: name)
        switch (now, expected) {
        case (nil, nil): return
        case (let now?, let expected?) where ObjectIdentity(expected, on: nil).matches(now): return
        default: throw .staleNFSFileHandle
        }
    }

    /// What was replaced goes from the old name. What can't go, for somebody has just put something in it, is covered.
    private func removeRemains(_ rename: inout MergedRename) {
        let (name, caller) = (rename.name, rename.caller)
        for part in rename.parts where part.isExchanged {
            do throws(Errno) {
                if part.replaced?.isDirectory != true {
                    try part.from.unlink(at: name)
                } else if try !removePlain(name, in: part.from, caller) {
                    throw .directoryNotEmpty
                }
            } catch {
                guard rename.cover == nil, let cover = try? coverDirectory(for: &rename.source) else {
                    continue
                }
                if (try? makeWhiteout(name, in: cover)) != nil { rename.cover = cover }
            }
        }
    }

    /// The kernel moves what it knew by the old name over what it knew by the new one.
    private func noteMoved(_ rename: borrowing MergedRename) {
        let (from, to) = (rename.source.directory, rename.destination.directory)
        guard let owner = rename.source.survey.owner else { return }
        noteChanged(from, to)
        let moving = knownNode(rename.source.survey, rename.name, in: from)
        let place = from.untell(rename.name)
        let moved = place.flatMap { table.find($0.node) }
        if let place { moved?.forget(place, isGone: true) }
        if let moved { put(moved, at: rename.newName, in: to, owner.layer) }
        if let moving, moving !== moved {
            moving.noteSeen(
                at: Place(of: moving, in: to, rename.newName, layer: owner.layer.index, told: coherence.now))
        }
        if let moved { noteMakeup(of: moved, rename) }
        if moving == nil || moving !== moved, coherence.plan.isLasting {
            coherence.invalidator.appendName(from.id, rename.name)
            coherence.invalidator.appendName(to.id, rename.newName)
        }
    }

    /// The marks that it got are no news.
    private func noteMakeup(of node: Node, _ rename: borrowing MergedRename) {
        guard
            let survey = try? dividedSurvey(
                rename.destination.view, rename.newName, in: rename.destination.directory),
            let owner = survey.owner, node.continues(as: Makeup(of: survey)),
            let filesystem = try? filesystem(of: owner, rename.newName, rename.destination.view)
        else { return }
        take(Makeup(of: survey), directoryOwner(owner, filesystem), of: node, begun: survey.begun)
    }

    /// Nothing has moved, or all is back.
    private func takeBack(_ rename: borrowing MergedRename, _ prepared: borrowing MergedPreparation) {
        if prepared.isMarked { unmark(rename) }
        let record = OwnedName(prepared.record)
        try? prepared.journal.descriptor.unlink(at: record.ref)
    }

    /// All has moved. Before that is forgotten it must be on disk, where the record may be on another one.
    private func finish(_ rename: borrowing MergedRename, _ prepared: borrowing MergedPreparation) {
        let device = (try? prepared.journal.descriptor.status())?.device
        for part in rename.parts where part.standing.status.device != device && !part.isPseudo {
            synchronize(part.to)
            synchronize(part.from)
        }
        // Before the record, which is all that knows of it.
        if let aside = prepared.aside,
            let path = try? path(of: rename.newName, in: rename.destination.directory)
        {
            discardAside(aside, of: path)
        }
        let record = OwnedName(prepared.record)
        try? prepared.journal.descriptor.unlink(at: record.ref)
    }

    private func synchronize(_ directory: FileDescriptor) {
        let opened = try? directory.openBeneath("", flags: [.readOnly, .directory])
        if let opened { try? opened.descriptor.synchronize(dataOnly: false) }
    }

    /// What the upper had under the new name. What it may hold unseen is kept.
    func discardAside(_ name: [UInt8], of path: borrowing PathBuffer) {
        let name = OwnedName(name)
        guard let staging = try? work.directory() else { return }
        if (try? staging.status(at: name.ref))?.isDirectory == true {
            try? putAside(name.ref, in: staging, at: path)
        } else {
            try? staging.unlink(at: name.ref)
        }
    }
}

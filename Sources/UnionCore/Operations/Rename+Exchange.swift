internal import LinuxSystem
internal import SystemPackage

// RENAME_EXCHANGE
extension Union {
    /// How each of the two gets the other's name. EXDEV: they aren't in one layer, or wouldn't be seen there.
    func exchangePlan(
        _ departure: DeparturePlan, _ source: borrowing Target, _ destination: borrowing Target
    ) throws(Errno) -> (there: RenamePlan, back: Arrival) {
        guard let other = destination.lookup.owner else { throw .noSuchFileOrDirectory }
        let layer = departure.layer
        if layer.isReadOnly || destination.lookup.isMerged || other.layer !== layer { throw .improperLink }
        let there = try changes.arrival(
            ofDirectory: departure.moving.isDirectory, in: layer, destination.lookup, destination.view)
        let back = try changes.arrival(ofDirectory: other.isDirectory, in: layer, source.lookup, source.view)
        guard there.above.isEmpty, back.above.isEmpty else { throw .improperLink }
        return (RenamePlan(departure: departure, arrival: there), back)
    }

    func exchange(_ renaming: inout Renaming, _ back: Arrival) throws(Errno) {
        guard let other = renaming.destination.lookup.owner else { throw .noSuchFileOrDirectory }
        let (from, to) = try directories(of: &renaming)
        let (name, newName) = (renaming.name, renaming.newName)
        try changes.makeRoom(
            for: renaming.plan.arrival, newName, in: renaming.destination.directory,
            renaming.destination.view)
        try changes.makeRoom(for: back, name, in: renaming.source.directory, renaming.source.view)
        let leaving = OwnChange(coherence.noting, renaming.source.directory, name)
        let arriving = OwnChange(coherence.noting, renaming.destination.directory, newName)
        let mustMark = isToBeMarked(renaming, from)
        let mustMarkOther = back.mustBeComplete && !isMarkedComplete(newName, in: to)
        let written =
            mustMark
            ? try writeDownMark(
                renaming.layer, renaming.source, name, in: from, to: renaming.destination, newName) : nil
        let writtenBack: WrittenRename?
        do {
            writtenBack =
                mustMarkOther
                ? try writeDownMark(
                    renaming.layer, renaming.destination, newName, in: to, to: renaming.source, name) : nil
        } catch {
            written?.erase()
            throw error
        }
        resolver.renames.begin()
        defer { resolver.renames.end() }
        do {
            try exchangeReal(renaming, back, from, to, mustMark: mustMark, mustMarkOther: mustMarkOther)
        } catch {
            written?.erase()
            writtenBack?.erase()
            throw error
        }
        if let written { erase(written, after: [from, to]) }
        if let writtenBack { erase(writtenBack, after: [from, to]) }
        changes.keepMoved(renaming.moving, at: newName, in: to)
        changes.keepMoved(other, at: name, in: from)
        reporting.noteExchanged(
            renaming.source, name, renaming.destination, newName, renaming.layer)
        leaving.end(by: renaming.caller)
        arriving.end(by: renaming.caller)
    }

    /// Marks what must be complete, and has the layer exchange the two. If that fails, the marks go again.
    private func exchangeReal(
        _ renaming: borrowing Renaming, _ back: Arrival, _ from: FileDescriptor, _ to: FileDescriptor,
        mustMark: Bool, mustMarkOther: Bool
    ) throws(Errno) {
        let (name, newName) = (renaming.name, renaming.newName)
        do {
            try completeBeforeMove(renaming, from, mustMark: mustMark)
            if back.mustBeComplete {
                if mustMarkOther { try markCompleteToMove(newName, in: to) }
                lowerFloor(renaming.destination, newName, to: renaming.layer)
            }
            try layers.asCaller(renaming.caller, in: from) { () throws(Errno) in
                try FileDescriptor.rename(from: from, name, to: to, newName, flags: .exchange)
            }
        } catch {
            if mustMark { unmarkComplete(renaming) }
            if mustMarkOther { try? layers.removeMark(.complete, from: newName, in: to) }
            throw error
        }
    }
}

internal import LinuxSystem
internal import SystemPackage

/// What leaves its name by a rename, and what becomes of the name.
struct DeparturePlan {
    let moving: LayerEntry
    /// Whether a whiteout must cover the old name: what lies hidden below it can't be removed.
    let isCovered: Bool

    /// The layer that owns what is renamed. The rename happens within it.
    var layer: Layer { moving.layer }
}

/// How an object is renamed.
struct RenamePlan {
    let departure: DeparturePlan
    let arrival: Arrival

    var moving: LayerEntry { departure.moving }
    var layer: Layer { departure.layer }

    /// A file that lies hidden where a directory is to go.
    var hiddenFile: LayerEntry? {
        guard moving.isDirectory, let replaced = arrival.replaced, !replaced.isDirectory,
            !replaced.isWhiteout
        else { return nil }
        return replaced
    }

    /// Whether it takes more than the rename of the real object.
    var hasFurtherSteps: Bool { departure.isCovered || !arrival.above.isEmpty || swapsPlaces }

    /// Whether the layer may leave a whiteout at the old name, if its filesystem can.
    var mayLeaveWhiteout: Bool {
        departure.isCovered && layer.isUpper && arrival.above.isEmpty && !swapsPlaces
    }

    /// Whether the object must change places with what it replaces: rename(2) can't put a directory over
    /// that, so it takes a step of its own.
    var swapsPlaces: Bool {
        guard moving.isDirectory, let replaced = arrival.replaced else { return false }
        return replaced.isWhiteout || replaced.isDirectory && layer.isUpper && arrival.replacesShown
    }
}

extension Changes {
    /// How the object leaves its name. EXDEV: a read-only layer has it, so that mv copies. EROFS, EBUSY: the
    /// old name would take a whiteout, and there can be none.
    func departurePlan(_ lookup: NameLookup) throws(Errno) -> DeparturePlan {
        guard let moving = lookup.owner else { throw .noSuchFileOrDirectory }
        if lookup.isMerged || moving.layer.isReadOnly { throw .improperLink }
        let isCovered = lookup.hidden.contains { mustBeCovered($0) }
        if isCovered { try checkCover(lookup) }
        return DeparturePlan(moving: moving, isCovered: isCovered)
    }

    /// How the object is renamed. EXDEV: the object wouldn't show, or something that the union doesn't show
    /// would have to go and can't be removed.
    func renamePlan(
        _ departure: DeparturePlan, to name: PathRef, _ destination: borrowing Target
    ) throws(Errno) -> RenamePlan {
        let arrival = try arrival(
            ofDirectory: departure.moving.isDirectory, in: departure.layer, destination.lookup,
            destination.view)
        if let replaced = arrival.replaced, replaced.isDirectory, !departure.moving.isDirectory {
            // It lies hidden.
            throw .improperLink
        }
        let plan = RenamePlan(departure: departure, arrival: arrival)
        try checkBare(plan, name, destination.view)
        return plan
    }

    /// Checks directories that have to go from lower layers. They are empty to users, and must hold nothing
    /// there, either.
    private func checkBare(
        _ plan: RenamePlan, _ name: PathRef, _ view: borrowing DirectoryView
    ) throws(Errno) {
        for layerEntry in plan.arrival.above where layerEntry.isDirectory && !layerEntry.layer.isUpper {
            try checkBare(layerEntry, name, view)
        }
        if let replaced = plan.arrival.replaced, replaced.isDirectory, !plan.swapsPlaces {
            try checkBare(replaced, name, view)
        }
    }

    private func checkBare(
        _ layerEntry: LayerEntry, _ name: PathRef, _ view: borrowing DirectoryView
    ) throws(Errno) {
        guard try isOrdinary(layerEntry), let parent = view.directory(in: layerEntry.layer.index) else {
            return
        }
        if try !isBare(name, in: parent) { throw .improperLink }
    }
}

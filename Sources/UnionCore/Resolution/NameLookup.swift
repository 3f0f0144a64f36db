internal import LinuxSystem
internal import SystemPackage

/// What one layer has under a name.
struct LayerEntry {
    let layer: Layer
    let status: FileStatus
    let isWhiteout: Bool
    /// The marks on a directory; of a file, those of a metacopy.
    let marks: Marks
    /// Its path from the layer's root, where a mark of overlayfs leads to it.
    var elsewhere: [UInt8]?
    /// The data of a metacopy that is visible.
    var data: RedirectedData?

    var isDirectory: Bool { !isWhiteout && status.isDirectory }
}

/// What the layers that back a directory have under one name, top to bottom.
///
/// The rules of resolution are here and nowhere else. The first hit decides. Directories are merged down to
/// the first object that is no directory, to a whiteout or to a complete mark.
struct NameLookup {
    private(set) var layerEntries: [LayerEntry] = []
    /// How many of `layerEntries`, from the top, make the union object. 0: there is no object.
    private(set) var visibleCount = 0
    /// Nothing below what was seen so far belongs to the object.
    private(set) var isDecided = false
    /// The layer at which the search for the object ended; nil: it went through to the bottom.
    private(set) var lastLayer: Int?
    /// A directory of the upper that has the name and isn't shown: an orphan. It must make room for anything
    /// new under the name.
    private(set) var unseen: LayerEntry?
    /// What lies below the whiteout at which the search ended. The name's removal doesn't bring it to light,
    /// but it is in the way of what is to be put there. Only changes look for it.
    private(set) var buried: [LayerEntry] = []
    /// The error with which a layer failed and ended the search, before the object was decided.
    var failure: Errno?
    /// The error with which a layer failed below the whiteout.
    var buriedFailure: Errno?
    /// The order in which layers are looked at.
    var order = ReadPolicy.upperFirst
    /// When the lookup began, by the clock of `Coherence`.
    var begun: UInt64 = 0
    /// A bit for each directory, from the top, that was asked if the search came to it.
    var asked: UInt64 = .max
    /// The layer at which `end` ended the search.
    private var end: Layer?
    /// Where marks of overlayfs say that the object is in the layers below them. For a layer, the last one
    /// above it counts.
    private(set) var redirections: [Redirection] = []
    /// Why nothing of the object may be shown.
    private(set) var obstacle: Obstacle?

    /// Notes that a mark leads elsewhere in the layers that are still to come.
    mutating func lead(by way: Redirection) { redirections.append(way) }

    mutating func block(_ layer: Layer, _ reason: RedirectObstacle) {
        obstacle = obstacle ?? Obstacle(layer: layer, reason: reason)
    }

    /// Whether nothing that is found from here on belongs to the name.
    var hasEnded: Bool { end != nil || layerEntries.last?.isWhiteout == true }

    /// Makes room for as many layers at once.
    mutating func reserve(_ count: Int) { layerEntries.reserveCapacity(count) }

    /// Adds what the next lower layer has.
    mutating func add(_ layerEntry: LayerEntry) {
        if hasEnded {
            buried.append(layerEntry)
            return
        }
        layerEntries.append(layerEntry)
        guard !isDecided else { return }
        if layerEntry.isDirectory {
            visibleCount += 1
            if layerEntry.marks.contains(.complete) { decide(at: layerEntry.layer) }
        } else {
            if !layerEntry.isWhiteout && visibleCount == 0 { visibleCount = 1 }
            decide(at: layerEntry.layer)
        }
    }

    /// Ends the search at a whiteout that isn't an entry of its own (OCI): nothing from `layer` downwards
    /// counts.
    mutating func end(at layer: Layer) {
        if !isDecided { decide(at: layer) }
        end = end ?? layer
    }

    /// The lookup without the skeleton at `position`, as if the upper had nothing of the name.
    func leavingOut(_ position: Int) -> NameLookup {
        var rest = NameLookup()
        for index in layerEntries.indices where index != position { rest.add(layerEntries[index]) }
        if let end { rest.end(at: end) }
        rest.buried = buried
        rest.unseen = layerEntries[position]
        rest.begun = begun
        rest.asked = asked
        rest.redirections = redirections
        rest.obstacle = obstacle
        rest.failure = failure
        rest.buriedFailure = buriedFailure
        rest.order = order
        return rest
    }

    /// The position of the upper's skeleton, if one is part of the object.
    var skeleton: Int? {
        visible.firstIndex { $0.layer.isUpper && $0.marks.contains(.skeleton) }
    }

    private mutating func decide(at layer: Layer) {
        isDecided = true
        lastLayer = layer.index
    }

    /// Whether the union shows something under the name.
    var isVisible: Bool { visibleCount > 0 }
    var visible: ArraySlice<LayerEntry> { layerEntries[..<visibleCount] }
    /// What lies below the object, and would show if the object went. It ends with the first whiteout.
    var hidden: ArraySlice<LayerEntry> { layerEntries[visibleCount...] }
    var isMerged: Bool { visibleCount > 1 }

    /// The layer entry that gives the object its attributes: the topmost that is no skeleton. Of an orphan it
    /// is the skeleton itself.
    var owner: LayerEntry? {
        for layerEntry in visible where !layerEntry.marks.contains(.skeleton) { return layerEntry }
        return visible.first
    }

    /// Whether only a skeleton is left of what was a lower's directory.
    var isOrphan: Bool {
        isVisible && visible.allSatisfy { $0.marks.contains(.skeleton) }
    }

    /// The error of a layer that failed, if only that layer could have answered. `all`: what lies hidden
    /// counts, too.
    func undecided(all: Bool) -> Errno? {
        guard let failure, !isDecided || all else { return nil }
        // A skeleton alone says nothing: its origin may be in the layer that failed.
        return all || !isVisible || isOrphan ? failure : nil
    }

    /// The topmost whiteout, if a whiteout is what the name is.
    var whiteout: LayerEntry? {
        guard !isVisible, let first = layerEntries.first, first.isWhiteout else { return nil }
        return first
    }
}

// All that layers have under the name, for what is to be put there.
extension NameLookup {
    /// How many layers have something, shown, hidden or buried, in the order of the search.
    var columnCount: Int { layerEntries.count + buried.count }

    func column(_ position: Int) -> LayerEntry {
        position < layerEntries.count ? layerEntries[position] : buried[position - layerEntries.count]
    }

    func isBuried(_ position: Int) -> Bool { position >= layerEntries.count }

    /// Whether the lookup looks at the one layer before the other.
    func isAbove(_ layer: Layer, _ other: Layer) -> Bool { order.rank(of: layer) < order.rank(of: other) }

    /// Whether a mark that can't be lifted hides whatever the layer has.
    func isShutOut(_ layer: Layer) -> Bool { end.map { isAbove($0, layer) } ?? false }

    /// The error of a layer that failed, so that it isn't known what an object in `layer` would lie beneath.
    func failure(above layer: Layer) -> Errno? {
        guard let buriedFailure, let last = buried.last ?? layerEntries.last, isAbove(last.layer, layer)
        else { return nil }
        return buriedFailure
    }
}

extension ReadPolicy {
    /// The layer's position in the order in which layers are looked at. No two layers have the same.
    func rank(of layer: Layer) -> Int {
        switch self {
        case .upperFirst: layer.index
        case .lowerFirst: layer.isUpper ? .max : layer.index
        case .layer(let first): layer.index == first ? -1 : layer.index
        }
    }
}

extension Makeup {
    /// What the directory that was looked up is made of. `layer`: leaves out what that layer has.
    init(of lookup: NameLookup, without layer: Layer? = nil) {
        self.init(floor: lookup.lastLayer ?? .max, redirections: lookup.redirections)
        for layerEntry in lookup.visible where layerEntry.layer !== layer {
            add(layerEntry.status, in: layerEntry.layer, layerEntry.marks)
        }
    }
}

extension NameLookup {
    /// `Makeup.backings` of the directory that was looked up. 0: it is no directory.
    var backings: UInt64 {
        guard owner?.isDirectory == true else { return 0 }
        return visible.reduce(0) { $0 ^ Makeup.part($1.status, in: $1.layer) }
    }
}

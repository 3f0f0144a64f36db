public import LinuxSystem
public import SystemPackage

extension Union {
    /// link(2), within the layer of the existing file. EPERM: it is a directory. EXDEV: that layer doesn't
    /// have the new parent, or nothing may be changed in that layer, or something hidden has the new name and
    /// would hide the file.
    public func link(
        _ id: NodeID, to newParent: NodeID, _ newName: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        let node = try resolver.node(id)
        if node.isDirectory { throw .notPermitted }
        let object = try resolver.object(of: node)
        var target = try changes.target(newParent, newName, caller)
        if target.lookup.isVisible { throw .fileExists }
        let layer = object.layer
        if layer.isReadOnly { throw .improperLink }
        let change = OwnChange(coherence.noting, target.directory, newName)
        let arrival = try changes.newArrival(ofDirectory: false, in: layer, target.lookup, target.view)
        try changes.put(newName, in: &target, arrival, caller) { directory, _ throws(Errno) in
            try layers.asCaller(caller, in: directory) { () throws(Errno) in
                try object.descriptor.link(to: directory, name: newName)
            }
        }
        var entry = try reporting.newEntry(newName, in: target) { $0.node == id }
        change.end(by: caller)
        // The kernel takes these attributes in, whatever it learnt meanwhile, so they are for this call only.
        entry.freshness.attributeSeconds = 0
        return entry
    }
}

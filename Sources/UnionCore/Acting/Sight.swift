internal import LinuxSystem
internal import SystemPackage

extension Agents {
    /// Checks that the caller can see the object. proc hides processes, and what is in their directories, by
    /// the caller (`hidepid=`). What the caller can't see there, it doesn't see here.
    func checkSight(
        _ lookup: NameLookup, _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) {
        guard let owner = lookup.owner, let filesystem = layers.stack.filesystems.find(owner.status.device),
            filesystem.type == .proc
        else { return }
        let layer = owner.layer
        var path = try resolver.path(of: directory, in: layer)
        path.append(name)
        let full = OwnedName(copying: path.ref)
        if isServers(full.ref, on: filesystem, in: layer) {
            return try lookElsewhere(full.ref, in: layer, caller)
        }
        try caller.perform(exact: caller.uid != 0) { () throws(Errno) in
            let seen = try layer.openObject(at: full.ref)
            _ = try seen.descriptor.status()
        }
    }
}

public import LinuxSystem
public import SystemPackage

extension Union {
    /// mknod(2): makes a file, fifo, socket or device. EPERM: the device 0:0, which is a whiteout.
    public func makeNode(
        _ parent: NodeID, _ name: PathRef, mode: UInt32, device: UInt64, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        if FileKind(mode: mode) == .characterDevice && device == 0 { throw .notPermitted }
        let kind = FileKind(mode: mode) ?? .regular
        return try makeObject(parent, name, .create, kind, mode: mode, caller) { directory, _ throws(Errno) in
            try directory.makeNode(at: name, mode: mode, device: device)
        }
    }

    /// Makes an object as the caller, where the branch selector says.
    func makeObject(
        _ parent: NodeID, _ name: PathRef, _ operation: SelectedOperation, _ kind: FileKind, mode: UInt32,
        _ caller: CallerIdentity, _ make: (FileDescriptor, Layer) throws(Errno) -> Void
    ) throws(Errno) -> Entry {
        var target = try changes.target(parent, name, caller)
        let change = OwnChange(coherence.noting, target.directory, name)
        let shared = target.view.shared
        try changes.put(operation, name, in: &target, caller) { directory, layer throws(Errno) in
            try layers.asCaller(
                caller, in: directory, isPseudo: shared?.isPseudo(in: layer),
                exact: mode & ModeBits.setGroup != 0
            ) { () throws(Errno) in
                try make(directory, layer)
            }
        }
        let entry = try reporting.newEntry(name, in: target) { FileKind(mode: $0.attributes.mode) == kind }
        change.end(by: caller)
        return entry
    }
}

public import LinuxSystem
public import SystemPackage

extension Union {
    public func makeDirectory(
        _ parent: NodeID, _ name: PathRef, mode: UInt32, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        try makeObject(parent, name, .mkdir, .directory, mode: mode, caller) { directory, _ throws(Errno) in
            try directory.makeDirectory(at: name, mode: mode)
        }
    }
}

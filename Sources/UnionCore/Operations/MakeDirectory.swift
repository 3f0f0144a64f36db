public import LinuxSystem
public import SystemPackage

extension Union {
    /// mkdir(2): makes a directory as the caller, where the branch selector says. EEXIST: the union shows
    /// something there.
    public func makeDirectory(
        _ parent: NodeID, _ name: PathRef, mode: UInt32, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        try makeObject(parent, name, .mkdir, .directory, mode: mode, caller) { directory, _ throws(Errno) in
            try directory.makeDirectory(at: name, mode: mode)
        }
    }
}

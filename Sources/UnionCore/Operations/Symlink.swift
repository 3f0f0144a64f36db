public import LinuxSystem
public import SystemPackage

extension Union {
    /// symlink(2): makes a symbolic link as the caller, where the branch selector says. EEXIST: the union
    /// shows something there.
    public func makeSymlink(
        _ parent: NodeID, _ name: PathRef, target: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        try makeObject(parent, name, .create, .symlink, mode: 0, caller) { directory, _ throws(Errno) in
            try directory.makeSymlink(at: name, target: target)
        }
    }
}

public import LinuxSystem
public import SystemPackage

extension Union {
    public func makeSymlink(
        _ parent: NodeID, _ name: PathRef, target: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Entry {
        try makeObject(parent, name, .create, .symlink, mode: 0, caller) { directory, _ throws(Errno) in
            try directory.makeSymlink(at: name, target: target)
        }
    }
}

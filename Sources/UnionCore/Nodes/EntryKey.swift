internal import LinuxSystem

/// A name in a directory, by its hash.
struct EntryKey: Hashable {
    let directory: NodeID
    let name: UInt64

    init(_ directory: NodeID, _ name: PathRef) {
        self.directory = directory
        self.name = name.hash
    }
}

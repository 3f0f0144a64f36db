internal import LinuxSystem
internal import SystemPackage

// Files of which their directory's watch tells.
extension InvalidationBatch {
    /// Has the kernel drop the attributes of a file that is kept by its directory's watch.
    mutating func settleFileAttributes(_ name: PathRef, in directory: NodeID) {
        guard let directory = table.find(directory) else { return }
        // A look that is older than this isn't reported any more, or not to be kept.
        let now = coherence.tick()
        if directory.activity?.hasLookups == true { directory.outdateLooks(at: now) }
        guard let alias = directory.reported(name), let file = table.find(alias.node), !file.isDirectory
        else { return }
        // A file that is written all the time is dropped once for each look at it.
        if file.endKeepingByDirectory(at: now) { dropNode(file.id, content: false) }
    }
}

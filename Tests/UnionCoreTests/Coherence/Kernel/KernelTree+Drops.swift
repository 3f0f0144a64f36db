import LinuxSystem
import SystemPackage
import UnionCore

extension KernelTree {
    /// d_invalidate: the name goes, and with it what is mounted at or below it, and what nobody uses below.
    mutating func invalidate(_ key: NameKey) {
        guard let name = names.removeValue(forKey: key), let node = name.node else { return }
        detach(at: key)
        detach(below: node)
        shrink(node)
    }

    mutating func detach(at key: NameKey) {
        for (mount, place) in mounts where place == key { mounts[mount] = nil }
    }

    private mutating func detach(below node: NodeID) {
        guard inodes[node]?.isDirectory == true else { return }
        for (mount, place) in mounts where isWithin(place.parent, node) { mounts[mount] = nil }
    }

    /// shrink_dcache_parent: names below go, unless somebody uses them.
    mutating func shrink(_ directory: NodeID) {
        for (key, name) in names where key.parent == directory {
            if let node = name.node {
                shrink(node)
                if isInUse(node) || mounts.values.contains(key) { continue }
            }
            names[key] = nil
        }
    }

    private func isInUse(_ node: NodeID) -> Bool {
        inodes[node].map { $0.holders > 0 } != false || names.keys.contains { $0.parent == node }
    }

    /// Inodes that nothing refers to are forgotten. `isLocked`: for a request under way.
    mutating func collect(isLocked: (NodeID) -> Bool) {
        var isAll = false
        while !isAll {
            isAll = true
            let named = Set(names.values.compactMap(\.node))
            let parents = Set(names.keys.map(\.parent))
            for (node, inode) in inodes {
                if node == .root || inode.holders > 0 || named.contains(node) || parents.contains(node)
                    || isLocked(node)
                {
                    continue
                }
                inodes[node] = nil
                forgets.append((node, inode.lookups))
                isAll = false
            }
        }
    }

    /// fuse_dir_changed: an entry of the directory came or went.
    mutating func noteChange(of directory: NodeID) {
        inodes[directory]?.changes += 1
        inodes[directory]?.attributeSeconds = 0
    }

    /// fuse_entry_unlinked.
    mutating func noteUnlinked(_ node: NodeID) {
        let version = nextVersion()
        inodes[node]?.version = version
        inodes[node]?.attributeSeconds = 0
    }
}

// Notifications. ENOENT: there is nothing to be dropped.
extension KernelTree {
    /// FUSE_NOTIFY_INVAL_ENTRY.
    mutating func dropEntry(_ key: NameKey) throws(Errno) {
        guard inodes[key.parent] != nil, names[key] != nil else { throw .noSuchFileOrDirectory }
        noteChange(of: key.parent)
        invalidate(key)
    }

    /// The same with FUSE_EXPIRE_ONLY.
    mutating func expireEntry(_ key: NameKey) throws(Errno) {
        guard inodes[key.parent] != nil, names[key] != nil else { throw .noSuchFileOrDirectory }
        noteChange(of: key.parent)
        names[key]?.seconds = 0
    }

    /// FUSE_NOTIFY_INVAL_INODE.
    mutating func dropNode(_ node: NodeID, content: Bool) throws(Errno) {
        guard inodes[node] != nil else { throw .noSuchFileOrDirectory }
        let version = nextVersion()
        inodes[node]?.version = version
        inodes[node]?.attributeSeconds = 0
        if content { inodes[node]?.listing = nil }
    }

    /// What was told for a while has run out.
    mutating func letTimePass() {
        let lasting = 1e8
        for (key, name) in names where name.seconds < lasting { names[key]?.seconds = 0 }
        for (node, inode) in inodes where inode.attributeSeconds < lasting {
            inodes[node]?.attributeSeconds = 0
        }
    }
}

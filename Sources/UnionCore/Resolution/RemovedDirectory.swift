internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// A directory that was removed while a process stands in it or has it open. What needs no name goes on, as on
// any local filesystem. If a client removed it, the real directory is still in reach. If it went underneath,
// only what was reported of it last is left.
extension Resolver {
    /// Whether nothing real is left of the directory, as far as is known.
    func isOutOfReach(_ node: Node) -> Bool {
        if (try? view(of: node)) != nil { return false }
        return node.state.withLock { $0.unlinkedObject == nil }
    }

    /// What stat(2) tells of the directory. ENOENT: nothing was ever reported of it.
    func removedAttributes(of node: Node) throws(Errno) -> Attributes {
        var left = node.state.withLock { $0.lastReported }
        if let unlinkedObject = try? openUnlinkedObject(of: node) {
            left = attributes(unlinkedObject.status, node.filesystem)
        }
        guard var left else { throw .noSuchFileOrDirectory }
        left.linkCount = 0
        return left
    }

    /// Changes the attributes of a removed directory. The kernel has judged that the caller may do so, and
    /// only processes that hold the directory see the change. nil: nothing was ever reported of it.
    func changeRemoved(_ node: Node, _ changes: AttributeChanges) -> Attributes? {
        guard var left = try? removedAttributes(of: node) else { return nil }
        if let mode = changes.mode {
            left.mode = left.mode & ~ModeBits.permissions | mode & ModeBits.permissions
        }
        left.uid = changes.uid ?? left.uid
        left.gid = changes.gid ?? left.gid
        let now = wallClock()
        left.accessTime = changes.access.time(now: now) ?? left.accessTime
        left.modificationTime = changes.modification.time(now: now) ?? left.modificationTime
        left.changeTime = now
        node.state.withLock { $0.lastReported = left }
        return left
    }
}

extension TimeChange {
    /// The time to set. nil: the time stays.
    fileprivate func time(now: Timestamp) -> Timestamp? {
        switch self {
        case .omit: nil
        case .now: now
        case .set(let time): time
        }
    }
}

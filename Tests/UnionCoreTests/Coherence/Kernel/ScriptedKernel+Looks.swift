import LinuxSystem
import SystemPackage
import UnionCore

// Attributes.
extension ScriptedKernel {
    /// stat(2) by a path.
    @discardableResult
    func stat(_ path: String, from start: NodeID = .root) throws(Errno) -> Attributes {
        try found(path, from: start) { node throws(Errno) in try attributes(of: node) }
    }

    /// fstat(2): by what is held.
    func attributes(of node: NodeID) throws(Errno) -> Attributes {
        defer { sendForgets() }
        let kept: Attributes? = state.withLock { state in
            guard let inode = state.tree.inodes[node], inode.hasAttributes else { return nil }
            return inode.attributes
        }
        if let kept { return kept }
        return try holdAttributes(of: node, for: root).arrive()
    }

    /// GETATTR, whatever is kept. `caller` nil: another one than that which does everything else.
    func holdAttributes(
        of node: NodeID, for caller: CallerIdentity? = nil
    ) throws(Errno) -> LateReply<Attributes> {
        let asked = state.withLock { $0.tree.now }
        note(.attributes(node))
        let (attributes, freshness) = try union.attributes(of: node, handle: nil, caller)
        return LateReply { [self] () throws(Errno) in
            state.withLock { state in
                state.tree.take(attributes, of: node, forSeconds: freshness.attributeSeconds, asked: asked)
            }
            return attributes
        }
    }

    func chmod(_ path: String, _ mode: UInt32) throws(Errno) {
        try changeMode(of: walk(path), mode)
    }

    func changeMode(of node: NodeID, _ mode: UInt32) throws(Errno) {
        let asked = state.withLock { $0.tree.now }
        noteChange()
        var changes = AttributeChanges()
        changes.mode = mode
        let (attributes, freshness) = try union.setAttributes(of: node, handle: nil, changes, root)
        state.withLock { state in
            state.tree.take(attributes, of: node, forSeconds: freshness.attributeSeconds, asked: asked)
        }
    }

    /// open(2) and close(2) of a file.
    func open(_ path: String) throws(Errno) {
        try found(path) { node throws(Errno) in
            let file = try union.open(node, flags: 0, root)
            union.release(file.handle)
        }
    }
}

// Listings.
extension ScriptedKernel {
    /// The names in a directory, without the dots.
    @discardableResult
    func list(_ path: String, from start: NodeID = .root) throws(Errno) -> [String] {
        try names(in: walk(path, from: start))
    }

    func names(in node: NodeID) throws(Errno) -> [String] {
        let kept: [String]? = try state.withLock { state throws(Errno) in
            guard let inode = state.tree.inodes[node] else { throw .noSuchFileOrDirectory }
            if inode.isDead { throw .noSuchFileOrDirectory }
            guard let listing = inode.listing, listing.changes == inode.changes,
                listing.modified == inode.attributes?.modificationTime
            else { return nil }
            return listing.names
        }
        if let kept { return kept }
        return try holdListing(of: node).arrive()
    }

    /// READDIR, or READDIRPLUS, to the end. The directory's lock is held, shared, until the reply arrives.
    func holdListing(of node: NodeID) throws(Errno) -> LateReply<[String]> {
        lockShared(node)
        note(.listing(node))
        let (asked, changes, modified) = state.withLock { state in
            let inode = state.tree.inodes[node]
            return (state.tree.now, inode?.changes ?? 0, inode?.attributes?.modificationTime)
        }
        var answer = ListingAnswer()
        do throws(Errno) {
            while try ask(node, &answer) {}
        } catch {
            unlockShared(node)
            throw error
        }
        let (names, told, mayBeKept) = (answer.names, answer.told, answer.mayBeKept)
        return LateReply { [self] () throws(Errno) in
            defer { unlockShared(node) }
            try state.withLock { state throws(Errno) in
                for (name, entry) in told {
                    try state.tree.link(entry, at: NameKey(node, name), asked: asked)
                }
                if mayBeKept {
                    let listing = KernelListing(names: names, changes: changes, modified: modified)
                    state.tree.inodes[node]?.listing = listing
                }
            }
            sendForgets()
            return names
        }
    }

    /// One request; the first is READDIRPLUS, as with the automatic mode. False at the end.
    private func ask(_ node: NodeID, _ answer: inout ListingAnswer) throws(Errno) -> Bool {
        var part = ListingAnswer(offset: answer.offset)
        let reply = try union.readDirectory(
            of: node, offset: answer.offset, room: 4096, root, withFiles: answer.offset == 0
        ) { item, entry in
            part.add(item, entry)
            return true
        }
        part.mayBeKept = reply.mayBeKept
        union.finish(reply)
        let goesOn = part.offset != answer.offset
        answer.add(part)
        return goesOn
    }
}

/// What a listing was answered with.
private struct ListingAnswer {
    var offset: UInt64 = 0
    var names: [String] = []
    var told: [(name: String, entry: Entry)] = []
    var mayBeKept = true

    mutating func add(_ item: DirectoryItem, _ entry: Entry?) {
        offset = item.nextOffset
        if item.name.isDots { return }
        names.append(item.name.string)
        if let entry { told.append((item.name.string, entry)) }
    }

    mutating func add(_ part: ListingAnswer) {
        offset = part.offset
        names += part.names
        told += part.told
        mayBeKept = mayBeKept && part.mayBeKept
    }
}

extension KernelTree {
    /// fuse_direntplus_link: a name that is another node's, or known to be missing, goes with its mounts.
    fileprivate mutating func link(_ entry: Entry, at key: NameKey, asked: Asked) throws(Errno) {
        if let known = names[key], known.node == entry.node {
            try take(entry, asked: asked)
            names[key]?.seconds = entry.freshness.entrySeconds
        } else {
            invalidate(key)
            try put(entry, at: key, asked: asked)
        }
    }
}

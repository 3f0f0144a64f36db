import LinuxSystem
import SystemPackage
import UnionCore

// Names: kept, asked for, asked for again.
extension ScriptedKernel {
    /// Walks a path from a directory, by what is kept where that may be used.
    @discardableResult
    func walk(_ path: String, from start: NodeID = .root) throws(Errno) -> NodeID {
        try found(path, from: start) { $0 }
    }

    /// What is done with what a path leads to. On ESTALE the kernel walks once more, asking for every name.
    func found<R>(
        _ path: String, from start: NodeID = .root, _ body: (NodeID) throws(Errno) -> R
    ) throws(Errno) -> R {
        defer { sendForgets() }
        do throws(Errno) {
            return try body(walk(path, from: start, asksAlways: false))
        } catch .staleNFSFileHandle {
            return try body(walk(path, from: start, asksAlways: true))
        }
    }

    func exists(_ path: String, from start: NodeID = .root) -> Bool {
        (try? walk(path, from: start)) != nil
    }

    private func walk(_ path: String, from start: NodeID, asksAlways: Bool) throws(Errno) -> NodeID {
        var node = start
        for name in path.split(separator: "/") {
            node = try step(NameKey(node, String(name)), asksAlways: asksAlways)
        }
        return node
    }

    /// The directory of a path, and the name in it.
    func key(_ path: String, from start: NodeID = .root) throws(Errno) -> NameKey {
        let parts = path.split(separator: "/").map(String.init)
        let parent = try walk(parts.dropLast().joined(separator: "/"), from: start)
        return NameKey(parent, parts.last ?? "")
    }

    /// One name. `asksAlways`: what is kept is asked for again.
    func step(_ key: NameKey, asksAlways: Bool = false) throws(Errno) -> NodeID {
        if let known = kept(key) {
            if known.seconds > 0 && !asksAlways {
                guard let node = known.node else { throw .noSuchFileOrDirectory }
                return node
            }
            if known.node != nil, let node = try lateRevalidation(of: key, known).arrive() { return node }
        }
        return try lateLookup(of: key, isLocked: false).arrive()
    }

    /// What is kept of the name; what is of an epoch before goes, as with every d_invalidate with its mounts.
    private func kept(_ key: NameKey) -> KernelName? {
        state.withLock { state in
            guard let known = state.tree.names[key] else { return nil }
            if known.epoch == state.tree.epoch { return known }
            state.tree.invalidate(key)
            return nil
        }
    }

    /// A lookup of a name that isn't kept, under the directory's lock, shared, until the reply arrives.
    func lateLookup(of key: NameKey, isLocked: Bool) throws(Errno) -> LateReply<NodeID> {
        if state.withLock({ $0.tree.inodes[key.parent]?.isDead }) == true { throw .noSuchFileOrDirectory }
        if !isLocked { lockShared(key.parent) }
        let (asked, answer) = ask(key)
        return LateReply { [self] () throws(Errno) in
            defer { if !isLocked { unlockShared(key.parent) } }
            let entry = try answer.get()
            try state.withLock { state throws(Errno) in
                try state.tree.put(entry, at: key, asked: asked)
            }
            guard entry.node.rawValue != 0 else { throw .noSuchFileOrDirectory }
            return entry.node
        }
    }

    /// A lookup of a name whose time has run out. No lock. nil: the name is another one's, and is gone.
    func lateRevalidation(of key: NameKey, _ known: KernelName) throws(Errno) -> LateReply<NodeID?> {
        let (asked, answer) = ask(key)
        return LateReply { [self] () throws(Errno) in
            try state.withLock { state throws(Errno) in
                // A client may have renamed it meanwhile.
                let place = state.tree.place(of: known, from: key)
                guard case .success(let entry) = answer, entry.node.rawValue != 0 else {
                    if let place { state.tree.invalidate(place) }
                    return nil
                }
                guard entry.node == known.node else {
                    state.tree.forgets.append((entry.node, 1))
                    if let place { state.tree.invalidate(place) }
                    return nil
                }
                try state.tree.take(entry, asked: asked)
                if let place { state.tree.names[place]?.seconds = entry.freshness.entrySeconds }
                return entry.node
            }
        }
    }

    /// Sends LOOKUP.
    private func ask(_ key: NameKey) -> (asked: KernelTree.Asked, answer: Result<Entry, Errno>) {
        let asked = state.withLock { $0.tree.now }
        note(.lookup(key.parent, key.name))
        let name = OwnedName(key.name)
        do throws(Errno) {
            let found = try union.lookup(key.parent, name.ref, root)
            let entry = found.entry
            found.finish()
            return (asked, .success(entry))
        } catch {
            return (asked, .failure(error))
        }
    }
}

// Replies that the test lets arrive.
extension ScriptedKernel {
    /// A client looks for a name that isn't kept.
    func holdLookup(of path: String) throws(Errno) -> LateReply<NodeID> {
        try lateLookup(of: key(path), isLocked: false)
    }

    /// A client comes upon a name whose time has run out, or that he wants asked for in any case.
    func holdRevalidation(of path: String) throws(Errno) -> LateReply<NodeID?> {
        let key = try key(path)
        guard let known = state.withLock({ $0.tree.names[key] }) else { throw .noData }
        return try lateRevalidation(of: key, known)
    }
}

// What clients hold.
extension ScriptedKernel {
    /// A client stands in the directory, or has it open.
    func hold(_ path: String) throws(Errno) -> NodeID {
        let node = try walk(path)
        state.withLock { $0.tree.inodes[node]?.holders += 1 }
        return node
    }

    func release(_ node: NodeID) {
        state.withLock { $0.tree.inodes[node]?.holders -= 1 }
        sendForgets()
    }

    /// Something is mounted on the name. Returns the mount.
    func mount(on path: String) throws(Errno) -> Int {
        let key = try key(path)
        _ = try step(key)
        return state.withLock { state in
            state.lastMount += 1
            state.tree.mounts[state.lastMount] = key
            return state.lastMount
        }
    }

    func isMounted(_ mount: Int) -> Bool { state.withLock { $0.tree.mounts[mount] != nil } }

    /// Where a mount is by now.
    func place(of mount: Int) -> NameKey? { state.withLock { $0.tree.mounts[mount] } }

    /// Whether the kernel keeps anything of the name.
    func keeps(_ path: String) -> Bool {
        guard let key = try? key(path) else { return false }
        return state.withLock { $0.tree.names[key] != nil }
    }

    /// What was told for a short while runs out.
    func letTimePass() { state.withLock { $0.tree.letTimePass() } }

    /// As long as somebody renames between directories of the mount the kernel can't move a directory.
    func whileRenaming<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        state.withLock { $0.tree.isRenameLocked = true }
        defer { state.withLock { $0.tree.isRenameLocked = false } }
        try body()
    }
}

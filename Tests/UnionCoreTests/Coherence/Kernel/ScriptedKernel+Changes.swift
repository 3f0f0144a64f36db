import LinuxSystem
import SystemPackage
import UnionCore

// What clients change through the mount, and what the kernel makes of it by itself.
extension ScriptedKernel {
    /// open(2) with O_CREAT and O_EXCL.
    func create(_ path: String, from start: NodeID = .root) throws(Errno) {
        try make(path, from: start) { [union] parent, name throws(Errno) in
            let flags = OpenFlags.writeOnly.union([.create, .exclusive]).rawValue
            let (entry, file) = try union.create(parent, name, mode: 0o644, flags: flags, root)
            union.release(file.handle)
            return entry
        }
    }

    /// open(2) with O_CREAT of a name that is known as missing: nobody is asked for it before CREATE.
    func openOrCreate(_ path: String) throws(Errno) {
        try holdMaking(path, asksFirst: false) { [union] parent, name throws(Errno) in
            let flags = OpenFlags.writeOnly.union(.create).rawValue
            let (entry, file) = try union.create(parent, name, mode: 0o644, flags: flags, root)
            union.release(file.handle)
            return entry
        }.arrive()
    }

    func mkdir(_ path: String, from start: NodeID = .root) throws(Errno) {
        try make(path, from: start) { [union] parent, name throws(Errno) in
            try union.makeDirectory(parent, name, mode: 0o755, root)
        }
    }

    func link(_ path: String, _ newPath: String) throws(Errno) {
        let node = try walk(path)
        try make(newPath) { [union] parent, name throws(Errno) in
            try union.link(node, to: parent, name, root)
        }
    }

    /// The same, until the reply arrives.
    func holdLink(_ path: String, _ newPath: String) throws(Errno) -> LateReply<Void> {
        let node = try walk(path)
        return try holdMaking(newPath) { [union] parent, name throws(Errno) in
            try union.link(node, to: parent, name, root)
        }
    }

    private func make(
        _ path: String, from start: NodeID = .root, _ body: (NodeID, PathRef) throws(Errno) -> Entry
    ) throws(Errno) {
        try holdMaking(path, from: start, body).arrive()
    }

    /// A reply that makes an entry: its attributes count whatever was learnt meanwhile.
    private func holdMaking(
        _ path: String, from start: NodeID = .root, asksFirst: Bool = true,
        _ body: (NodeID, PathRef) throws(Errno) -> Entry
    ) throws(Errno) -> LateReply<Void> {
        let key = try key(path, from: start)
        lockExclusive([key.parent])
        do throws(Errno) {
            if asksFirst { try expectMissing(key) }
            noteChange()
            let name = OwnedName(key.name)
            let entry = try body(key.parent, name.ref)
            return LateReply { [self] () throws(Errno) in
                defer {
                    unlockExclusive([key.parent])
                    sendForgets()
                }
                try state.withLock { state throws(Errno) in try state.tree.make(entry, at: key) }
            }
        } catch {
            unlockExclusive([key.parent])
            throw error
        }
    }

    /// EEXIST: there is something. What is to be made is looked for in any case.
    private func expectMissing(_ key: NameKey) throws(Errno) {
        if let known = state.withLock({ $0.tree.names[key] }), known.node != nil {
            if try lateRevalidation(of: key, known).arrive() != nil { throw .fileExists }
        }
        do throws(Errno) {
            _ = try lateLookup(of: key, isLocked: true).arrive()
        } catch .noSuchFileOrDirectory {
            return
        }
        throw .fileExists
    }

    func unlink(_ path: String) throws(Errno) {
        try remove(path) { [union] parent, name throws(Errno) in try union.unlink(parent, name, root) }
    }

    func rmdir(_ path: String) throws(Errno) {
        try remove(path) { [union] parent, name throws(Errno) in
            try union.removeDirectory(parent, name, root)
        }
    }

    private func remove(
        _ path: String, _ body: (NodeID, PathRef) throws(Errno) -> Void
    ) throws(Errno) {
        while try !removeIfKnown(path, body) {}
    }

    /// Under the lock it is looked up again. False: it is another one by now.
    private func removeIfKnown(
        _ path: String, _ body: (NodeID, PathRef) throws(Errno) -> Void
    ) throws(Errno) -> Bool {
        let key = try key(path)
        let node = try step(key)
        lockExclusive([key.parent])
        defer {
            unlockExclusive([key.parent])
            sendForgets()
        }
        guard known(key) == node else { return false }
        noteChange()
        let name = OwnedName(key.name)
        do throws(Errno) {
            try body(key.parent, name.ref)
        } catch {
            if error == .noSuchFileOrDirectory { state.withLock { $0.tree.invalidate(key) } }
            throw error
        }
        state.withLock { $0.tree.remove(key, node) }
        return true
    }

    func rename(_ path: String, _ newPath: String, flags: RenameFlags = []) throws(Errno) {
        while try !renameIfKnown(path, newPath, flags) {}
    }

    /// Under the locks both are looked up again. False: they are others by now.
    private func renameIfKnown(
        _ path: String, _ newPath: String, _ flags: RenameFlags
    ) throws(Errno) -> Bool {
        let (key, newKey) = (try key(path), try self.key(newPath))
        let node = try step(key)
        let replaced = try target(newKey)
        let directories: Set<NodeID> = [key.parent, newKey.parent]
        lockExclusive(directories)
        defer {
            unlockExclusive(directories)
            sendForgets()
        }
        guard known(key) == node, known(newKey) == replaced else { return false }
        noteChange()
        let name = OwnedName(key.name)
        let newName = OwnedName(newKey.name)
        try union.rename(
            key.parent, name.ref, to: newKey.parent, newName.ref, flags: flags.rawValue, root)
        state.withLock { state in
            if flags.contains(.exchange) {
                state.tree.noteChange(of: key.parent)
                state.tree.noteChange(of: newKey.parent)
                state.tree.exchange(key, newKey)
            } else {
                state.tree.rename(key, node, to: newKey, replaced)
            }
        }
        return true
    }

    private func known(_ key: NameKey) -> NodeID? { state.withLock { $0.tree.names[key]?.node } }

    /// What a rename goes to is asked for in any case.
    private func target(_ key: NameKey) throws(Errno) -> NodeID? {
        do throws(Errno) {
            return try step(key, asksAlways: true)
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }
}

extension KernelTree {
    fileprivate mutating func make(_ entry: Entry, at key: NameKey) throws(Errno) {
        names[key] = nil
        try take(entry, asked: nil)
        set(key, to: entry.node, seconds: entry.freshness.entrySeconds, epoch: epoch)
        noteChange(of: key.parent)
    }

    fileprivate mutating func remove(_ key: NameKey, _ node: NodeID) {
        noteChange(of: key.parent)
        noteUnlinked(node)
        detach(at: key)
        markDead(node)
        names[key] = nil
    }

    private mutating func markDead(_ node: NodeID) {
        guard inodes[node]?.isDirectory == true else { return }
        inodes[node]?.isDead = true
        shrink(node)
    }

    fileprivate mutating func rename(
        _ key: NameKey, _ node: NodeID, to newKey: NameKey, _ replaced: NodeID?
    ) {
        noteChange(of: key.parent)
        noteChange(of: newKey.parent)
        inodes[node]?.attributeSeconds = 0
        if let replaced, replaced != node {
            noteUnlinked(replaced)
            // By the kind of what is moved.
            if inodes[node]?.isDirectory == true { markDead(replaced) }
        }
        detach(at: newKey)
        move(key, to: newKey)
    }
}

public import LinuxSystem
internal import Synchronization
public import SystemPackage

// Clients' locks that the union takes on the real files too. A flock(2) lock belongs to an open file, so it
// is on the handle's real file. A record lock belongs to an owner, which has an open file of its own
// (`LockOwner`).
//
// Nothing here waits. A request that must wait gets a `LockWait`, which another thread carries out.

extension Union {
    /// flock(2): LOCK_SH, LOCK_EX or LOCK_UN, perhaps with LOCK_NB. Returns nil if it is done, else what is
    /// to be waited for. EAGAIN: with LOCK_NB, another lock is in the way.
    public func flock(
        _ handle: HandleID, operation: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> LockWait? {
        let open = try file(handle)
        let wait = try flock(open, handle, operation, caller)
        if wait == nil && operation & unlockFlock == 0 { refreshAttributes(of: open.node) }
        return wait
    }

    private func flock(
        _ handle: FileHandle, _ id: HandleID, _ operation: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> LockWait? {
        let use = lockUse(handle, id, process: caller.pid)
        let file = try handle.flockFile(use)
        let target = file?.descriptor ?? handle.descriptor
        let waits = operation & lockWithoutWaiting == 0
        handle.noteLocks()
        do throws(Errno) {
            try target.lock(flock: operation | lockWithoutWaiting)
            return nil
        } catch .resourceTemporarilyUnavailable {
            if !waits {
                try afterReleases(of: handle) { () throws(Errno) in
                    try target.lock(flock: operation)
                }
                return nil
            }
        }
        return lockWait(.flock(file, operation), use, caller)
    }

    private func lockWait(_ wanted: LockWait.Wanted, _ use: LockUse, _ caller: CallerIdentity) -> LockWait {
        let node = use.handle.node
        return LockWait(ledger, wanted, use, thread: caller.pid) { [weak self] in
            self?.refreshAttributes(of: node)
        }
    }

    /// Drops what the kernel keeps of the file's attributes. A caller that gets a lock counts on what the
    /// holder before it has done, though the events of that are still on their way. (While a client has a
    /// watched file open for writing, the kernel keeps none of its attributes.)
    private func refreshAttributes(of node: Node) {
        if coherence.plan.isLasting && node.state.withLock({ $0.openFiles?.hasWriter }) == true { return }
        reporting.dropAttributes(of: node)
    }

    /// The lock that stands in the way of `lock`. It is of type F_UNLCK where none does.
    public func getLock(_ handle: HandleID, owner: UInt64, lock: LockRange) throws(Errno) -> LockRange {
        let open = try file(handle)
        guard let wanted = FileLock(lock) else { throw .invalidArgument }
        let key = LockOwner.Key(node: open.node.id, owner: owner)
        if let (part, process) = ledger.conflict(with: wanted, of: key) {
            let kind: FileLock.Kind = part.isExclusive ? .write : .read
            return LockRange(
                type: Int16(kind.rawValue), start: part.start, end: part.end, pid: process)
        }
        let use = lockUse(open, handle, process: 0)
        let file = try lockFile(of: key, use)
        guard let found = try file.descriptor.conflictingLock(with: wanted) else {
            let unlocked = Int16(FileLock.Kind.unlock.rawValue)
            return LockRange(type: unlocked, start: lock.start, end: lock.end, pid: 0)
        }
        // An open file's lock has no process (-1), and the kernel doesn't take -1 for one.
        return LockRange(
            type: Int16(truncatingIfNeeded: found.kind.rawValue), start: found.start, end: found.end,
            pid: max(found.pid, 0))
    }

    /// Takes or frees a record lock. Returns nil if it is done, else what is to be waited for (with `wait`
    /// alone). EAGAIN: another lock is in the way, and `wait` is false. EDEADLK: the wait would never end.
    public func setLock(
        _ handle: HandleID, owner: UInt64, lock: LockRange, wait: Bool, _ caller: CallerIdentity
    ) throws(Errno) -> LockWait? {
        guard let wanted = FileLock(lock) else { throw .invalidArgument }
        let open = try file(handle)
        let blocked = try setLock(open, handle, owner, wanted, process: lock.pid, wait: wait, caller)
        if blocked == nil && wanted.kind != .unlock { refreshAttributes(of: open.node) }
        return blocked
    }

    private func setLock(
        _ handle: FileHandle, _ id: HandleID, _ owner: UInt64, _ wanted: FileLock, process: Int32,
        wait: Bool, _ caller: CallerIdentity
    ) throws(Errno) -> LockWait? {
        let key = LockOwner.Key(node: handle.node.id, owner: owner)
        if wanted.kind == .unlock && ledger.find(key) == nil { return nil }
        let use = lockUse(handle, id, process: process)
        let owner = try ledger.owner(owner, by: use)
        var isWaiting = false
        defer { if !isWaiting { ledger.finish(key) } }
        handle.noteLocks()
        do throws(Errno) {
            try owner.set(wanted, ledger, by: use)
            return nil
        } catch .resourceTemporarilyUnavailable {
            if !wait {
                try afterReleases(of: handle) { () throws(Errno) in try owner.set(wanted, ledger, by: use) }
                return nil
            }
        }
        let blocked = lockWait(.record(owner, wanted), use, caller)
        try ledger.begin(blocked)
        isWaiting = true
        return blocked
    }

    /// The owner's own open file. Its locks don't stand in the owner's way.
    private func lockFile(of key: LockOwner.Key, _ use: LockUse) throws(Errno) -> LockFile {
        if let known = ledger.find(key) { return known.file }
        return try use.openFile()
    }

    private func lockUse(_ handle: FileHandle, _ id: HandleID, process: Int32) -> LockUse {
        LockUse(
            handle: handle, id: id, process: process,
            staysInside: !locksReach(stack[handle.layer]))
    }

    /// Whether locks on the layer's files are for programs beside the union, too.
    private func locksReach(_ layer: Layer) -> Bool {
        policies.locks == .through || coherence.plan.isShared(layer)
    }
}

// The kernel tells of the last close of an open file only when close(2) has returned already. A caller that
// asks for a lock right then must not be told that the closed file still holds it.
extension Union {
    /// Tries again while other open files of this file are about to be released. EAGAIN: none is any more.
    private func afterReleases(of handle: FileHandle, _ attempt: () throws(Errno) -> Void) throws(Errno) {
        let openFiles = handle.node.state.withLock { $0.openFiles }
        var milliseconds = 0
        while openFiles?.awaitsRelease(besides: handle) == true, milliseconds < 20 {
            pause(milliseconds: 1)
            milliseconds += 1
            do throws(Errno) {
                return try attempt()
            } catch .resourceTemporarilyUnavailable {}
        }
        // A client has closed one descriptor of several: the open file stays.
        if milliseconds > 0 { openFiles?.expectNoRelease() }
        try attempt()
    }
}

/// LOCK_NB of <sys/file.h>.
private let lockWithoutWaiting: Int32 = 4

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What clients of the union have locked, and what they wait for. The real files' kernel decides. The ledger
/// says which process is in the way, finds circles of waits, and frees what a close frees.
///
/// Its lock is a leaf, taken under an owner's turn.
final class LockLedger: Sendable {
    struct Holding {
        let owner: LockOwner
        var ranges = LockedRanges()
        /// The handles by which the owner has locked.
        var handles: [HandleID] = []
        var process: Int32
        /// How many requests lock by it now, or wait to.
        var uses = 1
    }

    struct State {
        var holdings: [LockOwner.Key: Holding] = [:]
        var owners: [NodeID: [UInt64]] = [:]
        var waits: [LockWait] = []
    }

    let state = Mutex(State())

    /// The owner's locks on the file, until `finish`. Begins a holding if it has none.
    func owner(_ number: UInt64, by use: LockUse) throws(Errno) -> LockOwner {
        let key = LockOwner.Key(node: use.handle.node.id, owner: number)
        if let known = state.withLock({ $0.use(key) }) { return known }
        let opened = LockOwner(key, try use.openFile(), isInside: use.staysInside)
        return state.withLock { state in
            if let known = state.use(key) { return known }
            state.begin(opened, use.process)
            return opened
        }
    }

    /// Ends a use of the owner's locks. Where nothing came of any, nothing is left of the owner: its number may be
    /// another one's next.
    func finish(_ key: LockOwner.Key) {
        state.withLock { state in
            state.holdings[key]?.uses -= 1
            guard let holding = state.holdings[key], holding.uses == 0 else { return }
            if holding.handles.isEmpty { _ = state.end(key) }
        }
    }

    func find(_ key: LockOwner.Key) -> LockOwner? { state.withLock { $0.holdings[key]?.owner } }

    func ranges(of key: LockOwner.Key) -> LockedRanges {
        state.withLock { $0.holdings[key]?.ranges ?? LockedRanges() }
    }

    func note(_ lock: FileLock, of owner: LockOwner, by use: LockUse) {
        state.withLock { state in
            state.holdings[owner.key]?.apply(lock, by: use)
        }
    }

    /// Frees all locks of the owner on the file, as it closes a descriptor of the file.
    func close(_ number: UInt64, node: NodeID) {
        guard number != 0 else { return }
        end(LockOwner.Key(node: node, owner: number))
    }

    /// Frees the locks that belong to an open file which has gone. If its owner has locked by another open
    /// file too, the locks stay until that one goes. The reason: an open file's number is the next one's as
    /// soon as it is closed, and that is before the kernel tells of this.
    func release(_ handle: HandleID, node: NodeID) {
        let ended: [Ended] = state.withLock { state in
            guard let owners = state.owners[node] else { return [] }
            return owners.compactMap { state.release(handle, LockOwner.Key(node: node, owner: $0)) }
        }
        for ended in ended { ended.free() }
    }

    private func end(_ key: LockOwner.Key) {
        // Most files by far were never locked.
        let ended = state.withLock { $0.holdings.isEmpty ? nil : $0.end(key) }
        ended?.free()
    }

    /// An owner that holds nothing any more.
    fileprivate struct Ended {
        let owner: LockOwner
        let hasLocks: Bool

        /// The last reference closes the file. That isn't enough: a wait may still have the file, and so may a child
        /// that the server's program has just forked.
        func free() { if hasLocks { owner.freeAll() } }
    }

    /// Another client's lock that is in the way: the lock, and its process. nil: there is none.
    func conflict(with lock: FileLock, of key: LockOwner.Key) -> (LockedRanges.Part, process: Int32)? {
        state.withLock { state in
            for holding in state.others(than: key) {
                if let part = holding.ranges.conflict(with: lock) { return (part, holding.process) }
            }
            return nil
        }
    }
}

extension LockLedger.State {
    fileprivate mutating func begin(_ owner: LockOwner, _ process: Int32) {
        holdings[owner.key] = LockLedger.Holding(owner: owner, process: process)
        owners[owner.key.node, default: []].append(owner.key.owner)
    }

    fileprivate mutating func use(_ key: LockOwner.Key) -> LockOwner? {
        holdings[key]?.uses += 1
        return holdings[key]?.owner
    }

    fileprivate mutating func end(_ key: LockOwner.Key) -> LockLedger.Ended? {
        guard let ended = holdings[key] else { return nil }
        let isInUse = ended.uses > 0
        if isInUse {
            // Another request locks by it, or waits to. It stays until that is through (`finish`).
            holdings[key]?.ranges = LockedRanges()
            holdings[key]?.handles = []
        } else {
            holdings[key] = nil
            owners[key.node]?.removeAll { $0 == key.owner }
            if owners[key.node]?.isEmpty == true { owners[key.node] = nil }
        }
        return LockLedger.Ended(owner: ended.owner, hasLocks: isInUse || !ended.ranges.parts.isEmpty)
    }

    /// Ends the owner's holding if it has locked by no other handle than this one.
    fileprivate mutating func release(_ handle: HandleID, _ key: LockOwner.Key) -> LockLedger.Ended? {
        guard let index = holdings[key]?.handles.firstIndex(of: handle) else { return nil }
        holdings[key]?.handles.remove(at: index)
        return holdings[key]?.handles.isEmpty == true ? end(key) : nil
    }

    func others(than key: LockOwner.Key) -> [LockLedger.Holding] {
        (owners[key.node] ?? []).compactMap { number in
            number == key.owner ? nil : holdings[LockOwner.Key(node: key.node, owner: number)]
        }
    }
}

extension LockLedger.Holding {
    fileprivate mutating func apply(_ lock: FileLock, by use: LockUse) {
        ranges.apply(lock)
        guard lock.kind != .unlock else { return }
        process = use.process
        if !handles.contains(use.id) { handles.append(use.id) }
    }
}

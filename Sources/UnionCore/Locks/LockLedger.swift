internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What clients of the union have locked, and what they wait for. The real files' kernel decides; this is kept
/// to say which process is in the way, to find who waits for whom in a circle, and to free what a close frees.
///
/// Its lock is a leaf, taken under an owner's turn.
final class LockLedger: Sendable {
    struct Holding {
        let owner: LockOwner
        var ranges = LockedRanges()
        /// The handles that it has locked by.
        var handles: [HandleID] = []
        var process: Int32
    }

    struct State {
        var holdings: [LockOwner.Key: Holding] = [:]
        var owners: [NodeID: [UInt64]] = [:]
        var waits: [LockWait] = []
    }

    let state = Mutex(State())

    /// The owner's holding on the file, begun if it has none.
    func owner(_ number: UInt64, by use: LockUse) throws(Errno) -> LockOwner {
        let key = LockOwner.Key(node: use.handle.node.id, owner: number)
        if let known = find(key) { return known }
        let opened = LockOwner(key, try use.openFile(), isInside: use.staysInside)
        return state.withLock { state in
            if let known = state.holdings[key] { return known.owner }
            state.begin(opened, use.process)
            return opened
        }
    }

    func find(_ key: LockOwner.Key) -> LockOwner? { state.withLock { $0.holdings[key]?.owner } }

    func ranges(of key: LockOwner.Key) -> LockedRanges {
        state.withLock { $0.holdings[key]?.ranges ?? LockedRanges() }
    }

    func note(_ lock: FileLock, of owner: LockOwner, by use: LockUse) {
        state.withLock { state in
            // Freed by a close while it waited: the kernel frees it once more, as it does with every lock that comes
            // too late.
            if state.holdings[owner.key] == nil { state.begin(owner, use.process) }
            state.holdings[owner.key]?.apply(lock, by: use)
        }
    }

    /// The owner closes a descriptor of the file: all its locks on it go.
    func close(_ number: UInt64, node: NodeID) {
        guard number != 0 else { return }
        end(LockOwner.Key(node: node, owner: number))
    }

    /// Nobody has the open file any more: the locks that belong to it go. Where its owner has locked by another one too,
    /// they stay until that goes: an open file's number is the next one's as soon as it is closed, which is before this is
    /// told.
    func release(_ handle: HandleID, node: NodeID) {
        let ended: [Ended] = state.withLock { state in
            guard let owners = state.owners[node] else { return [] }
            return owners.compactMap { state.release(handle, LockOwner.Key(node: node, owner: $0)) }
        }
        for ended in ended { ended.free() }
    }

    private func end(_ key: LockOwner.Key) {
        // By far most files were never locked.
        let ended = state.withLock { $0.holdings.isEmpty ? nil : $0.end(key) }
        ended?.free()
    }

    /// An owner that holds nothing any more.
    fileprivate struct Ended {
        let owner: LockOwner
        let isWaiting: Bool

        /// With the last reference the file is closed, and its locks are gone.
        func free() { if isWaiting { owner.freeAll() } }
    }

    /// Another client's lock that is in the way: the lock, and its process.
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

    fileprivate mutating func end(_ key: LockOwner.Key) -> LockLedger.Ended? {
        guard let ended = holdings.removeValue(forKey: key) else { return nil }
        owners[key.node]?.removeAll { $0 == key.owner }
        if owners[key.node]?.isEmpty == true { owners[key.node] = nil }
        return LockLedger.Ended(
            owner: ended.owner, isWaiting: waits.contains { $0.record?.owner == key })
    }

    /// The same of an owner that has locked by no other handle.
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

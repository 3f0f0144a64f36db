internal import LinuxSystem
internal import Synchronization
public import SystemPackage

/// A lock that must be waited for, as another lock is in the way. The engine decides that. What serves the
/// union gives it a thread that can wait as long as it takes.
public final class LockWait: Sendable {
    enum Wanted {
        case record(LockOwner, FileLock)
        /// On that file, or on the handle's own.
        case flock(LockFile?, Int32)
    }

    private let ledger: LockLedger
    private let wanted: Wanted
    private let use: LockUse
    /// The client's thread that waits.
    private let thread: Int32
    /// What to do before the client is told that it has the lock.
    private let granted: @Sendable () -> Void
    private let openFileLock = Mutex<Bool?>(nil)
    private let verdict = Mutex<Errno?>(nil)

    init(
        _ ledger: LockLedger, _ wanted: Wanted, _ use: LockUse, thread: Int32,
        granted: @escaping @Sendable () -> Void
    ) {
        self.ledger = ledger
        self.wanted = wanted
        self.use = use
        self.thread = thread
        self.granted = granted
    }

    /// Waits for the lock, and takes it; to be called once. EINTR: a signal ended the wait. Instead of EINTR
    /// it throws the error that `refuse` was given before.
    public func wait() throws(Errno) {
        defer { ledger.end(self) }
        do throws(Errno) {
            switch wanted {
            case .flock(let file, let operation):
                try (file?.descriptor ?? use.handle.descriptor).lock(flock: operation)
            case .record(let owner, let lock):
                try wait(for: lock, of: owner)
            }
        } catch .interrupted {
            throw verdict.withLock { $0 } ?? .interrupted
        }
        granted()
    }

    private func wait(for lock: FileLock, of owner: LockOwner) throws(Errno) {
        while true {
            let file = owner.file
            try file.descriptor.setLock(lock, wait: true)
            if owner.noteGranted(lock, on: file, ledger, by: use) { return }
            // The owner locks by another file by now, and this one is about to be closed.
            file.freeAll()
        }
    }

    /// Ends the wait, as there is no thread that can wait.
    public func cancel() { ledger.end(self) }

    /// Sets the error to answer with when the wait is interrupted next.
    func refuse(_ error: Errno) { verdict.withLock { $0 = error } }

    /// Whether a process waits, and not an open file. For open files' locks neither the kernel nor the union
    /// looks for deadlocks: another thread may free them. (FUSE doesn't say which it is.)
    var isOfProcess: Bool {
        openFileLock.withLock { known in
            let answer = known ?? waitsForOpenFileLock(thread: thread)
            known = answer
            return !answer
        }
    }

    var process: Int32 { use.process }

    var record: (owner: LockOwner.Key, lock: FileLock)? {
        if case .record(let owner, let lock) = wanted { (owner.key, lock) } else { nil }
    }
}

extension LockLedger {
    /// Begins a wait. EDEADLK: every owner in a circle would wait for the next.
    func begin(_ wait: LockWait) throws(Errno) {
        let circle: [LockWait]? = state.withLock { state in
            state.waits.append(wait)
            return state.circle(from: wait)
        }
        guard let circle, circle.allSatisfy(\.isOfProcess) else { return }
        remove(wait)
        throw .deadlock
    }

    /// Ends a wait that has begun, and with it the use of the owner's locks.
    fileprivate func end(_ wait: LockWait) {
        remove(wait)
        if let record = wait.record { finish(record.owner) }
    }

    private func remove(_ wait: LockWait) {
        state.withLock { state in
            if let index = state.waits.firstIndex(where: { $0 === wait }) { state.waits.remove(at: index) }
        }
    }
}

extension LockLedger.State {
    /// The waits from `first` on that lead back to its owner, each for something that the next one's owner
    /// holds. nil: they don't lead back.
    func circle(from first: LockWait) -> [LockWait]? {
        guard let origin = first.record?.owner.owner else { return nil }
        var seen: Set<UInt64> = []
        var paths: [[LockWait]] = [[first]]
        while let path = paths.popLast(), let last = path.last {
            guard let (owner, lock) = last.record else { continue }
            for holding in others(than: owner) where holding.ranges.conflict(with: lock) != nil {
                let holder = holding.owner.key.owner
                if holder == origin { return path }
                guard seen.insert(holder).inserted else { continue }
                for next in waits where next.record?.owner.owner == holder { paths.append(path + [next]) }
            }
        }
        return nil
    }
}

internal import LinuxSystem
internal import Synchronization
public import SystemPackage

/// A lock that another one is in the way of, and that is to be waited for. The engine decides that; what
/// serves the union gives it a thread that can wait as long as it takes.
public final class LockWait: Sendable {
    enum Wanted {
        case record(LockOwner, FileLock)
        /// On the file, or on the handle's own.
        case flock(LockFile?, Int32)
    }

    private let ledger: LockLedger
    private let wanted: Wanted
    private let use: LockUse
    /// The thread of the client that waits.
    private let thread: Int32
    /// What is to be done before the client is told that it has the lock.
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

    /// Waits; once. EINTR when a signal ends it, or what `refuse` was told before.
    public func wait() throws(Errno) {
        defer { ledger.end(self) }
        do throws(Errno) {
            switch wanted {
            case .flock(let file, let operation):
                try (file?.descriptor ?? use.handle.descriptor).lock(flock: operation)
            case .record(let owner, let lock):
                let file = owner.file
                try file.descriptor.setLock(lock, wait: true)
                owner.noteGranted(lock, ledger, by: use)
            }
        } catch .interrupted {
            throw verdict.withLock { $0 } ?? .interrupted
        }
        granted()
    }

    /// There is nobody who can wait.
    public func cancel() { ledger.end(self) }

    /// What to answer when the wait is interrupted next.
    func refuse(_ error: Errno) { verdict.withLock { $0 = error } }

    /// Whether a process waits, and not an open file, of whose locks the kernel finds no deadlock, nor do we: another
    /// thread may free them. (FUSE doesn't say which it is.)
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
    /// EDEADLK where everybody would wait for somebody in a circle.
    func begin(_ wait: LockWait) throws(Errno) {
        let circle: [LockWait]? = state.withLock { state in
            state.waits.append(wait)
            return state.circle(from: wait)
        }
        guard let circle, circle.allSatisfy(\.isOfProcess) else { return }
        end(wait)
        throw .deadlock
    }

    func end(_ wait: LockWait) {
        state.withLock { state in
            if let index = state.waits.firstIndex(where: { $0 === wait }) { state.waits.remove(at: index) }
        }
    }
}

extension LockLedger.State {
    /// The waits from `first` on that lead back to its owner, each for something that the next one's owner holds.
    /// nil: there is an end.
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

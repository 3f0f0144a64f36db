public import LinuxSystem
internal import Synchronization
public import SystemPackage

// `locks=through`: locks of clients are taken on the real files too. flock(2) belongs to an open file, which
// the handle's real file is. A record lock belongs to a process, so each process that locks a file gets an
// open file of its own for it; closing that one frees its locks, as close(2) by the process does.

/// The open files on which processes hold record locks.
final class RecordLocks: Sendable {
    private struct Key: Hashable {
        let node: NodeID
        let owner: UInt64
    }

    /// A real file opened for one owner's locks.
    final class LockFile: Sendable {
        let file: OwnedDescriptor

        init(_ file: consuming OwnedDescriptor) { self.file = file }
    }

    private let files = Mutex<[Key: LockFile]>([:])

    /// The open file for the owner's locks on what `handle` has open, opened when it is first asked for.
    func file(for owner: UInt64, of handle: FileHandle) throws(Errno) -> LockFile {
        let key = Key(node: handle.node.id, owner: owner)
        if let known = files.withLock({ $0[key] }) { return known }
        let access = handle.flags.intersection(.accessMask)
        let opened = LockFile(try handle.descriptor.reopen(flags: access))
        return files.withLock { files in
            if let known = files[key] { return known }
            files[key] = opened
            return opened
        }
    }

    /// The owner closes a descriptor of the file: all its locks on it go.
    func release(_ owner: UInt64, of handle: FileHandle) {
        guard owner != 0 else { return }
        let released = files.withLock { files in
            files.isEmpty ? nil : files.removeValue(forKey: Key(node: handle.node.id, owner: owner))
        }
        _ = released
    }
}

extension Union {
    public func flock(_ handle: HandleID, owner: UInt64, operation: Int32) throws(Errno) {
        try file(handle).descriptor.lock(flock: operation)
    }

    /// The lock that stands in the way of `lock`; of type F_UNLCK where none does.
    public func getLock(_ handle: HandleID, owner: UInt64, lock: LockRange) throws(Errno) -> LockRange {
        let handle = try file(handle)
        let lockFile = try recordLocks.file(for: owner, of: handle)
        guard let wanted = FileLock(lock) else { throw .invalidArgument }
        guard let found = try lockFile.file.descriptor.conflictingLock(with: wanted) else {
            let unlocked = Int16(FileLock.Kind.unlock.rawValue)
            return LockRange(type: unlocked, start: lock.start, end: lock.end, pid: 0)
        }
        return LockRange(
            type: Int16(truncatingIfNeeded: found.kind.rawValue), start: found.start, end: found.end,
            pid: found.pid)
    }

    /// Takes or frees a record lock; with `wait`, waits for it, until a signal: EINTR.
    public func setLock(
        _ handle: HandleID, owner: UInt64, lock: LockRange, wait: Bool, _ caller: CallerIdentity
    ) throws(Errno) {
        let handle = try file(handle)
        guard let wanted = FileLock(lock) else { throw .invalidArgument }
        let lockFile = try recordLocks.file(for: owner, of: handle)
        try lockFile.file.descriptor.setLock(wanted, wait: wait)
    }
}

extension FileLock {
    /// nil: not a lock that fcntl(2) knows.
    fileprivate init?(_ range: LockRange) {
        guard let kind = Kind(rawValue: Int32(range.type)), range.start >= 0, range.end >= range.start
        else { return nil }
        // A length of 0 reaches to the end of the file.
        let length = range.end == .max ? 0 : range.end - range.start + 1
        self.init(kind: kind, start: range.start, length: length)
    }

    /// The last byte, inclusive.
    fileprivate var end: Int64 { length == 0 ? .max : start + length - 1 }
}

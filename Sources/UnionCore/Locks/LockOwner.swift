internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The locks of one owner on one file. An owner is a process (its table of descriptors, to be exact) or, for
/// locks of open files, an open file: the kernel gives a number.
///
/// Each has a real file opened for itself, whose locks are the owner's: so the real file's own kernel judges
/// between all owners, those beside the union included.
final class LockOwner: Sendable {
    struct Key: Hashable {
        let node: NodeID
        let owner: UInt64
    }

    let key: Key
    /// What it locks, as /proc/locks names it; nil where nobody beside the union can.
    let identity: LockedFile?
    /// Held over a lock that doesn't wait and the note of it in the ledger, so that both have one order.
    private let turn: Mutex<LockFile>

    init(_ key: Key, _ file: LockFile, isInside: Bool) {
        self.key = key
        identity = isInside ? nil : (try? file.descriptor.status()).map { LockedFile($0) }
        turn = Mutex(file)
    }

    /// The file in use; for a lock that waits, which no turn is held over.
    var file: LockFile { turn.withLock { $0 } }

    /// Takes or frees without waiting, and notes it. EAGAIN: another one's lock is in the way.
    func set(_ lock: FileLock, _ ledger: LockLedger, by use: LockUse) throws(Errno) {
        try turn.withLock { file throws(Errno) in
            if !file.takes(lock.kind) { try widen(&file, use, ledger) }
            try file.descriptor.setLock(lock, wait: false)
            ledger.note(lock, of: self, by: use)
        }
    }

    /// Notes a lock that was waited for on `file`.
    func noteGranted(_ lock: FileLock, _ ledger: LockLedger, by use: LockUse) {
        turn.withLock { _ in ledger.note(lock, of: self, by: use) }
    }

    /// Frees all, though somebody may still wait with the file.
    func freeAll() {
        turn.withLock { file in
            try? file.descriptor.setLock(FileLock(kind: .unlock, start: 0, length: 0), wait: false)
        }
    }

    /// The owner locks by a descriptor with more access than the first one had. What it holds is taken by a new
    /// open file, which read locks can be while the first one has them. EBADF where that can't be.
    private func widen(_ file: inout LockFile, _ use: LockUse, _ ledger: LockLedger) throws(Errno) {
        let wider = try use.openFile(.readWrite)
        for part in ledger.ranges(of: key).parts {
            do throws(Errno) {
                try wider.descriptor.setLock(FileLock(part), wait: false)
            } catch {
                throw .badFileDescriptor
            }
        }
        file = wider
    }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The locks of one owner on one file. An owner is a process (its table of descriptors, to be exact) or, for
/// locks of open files, an open file. The kernel gives its number.
///
/// Each owner has a real file opened for itself, whose locks are the owner's. So the real file's own kernel
/// judges between all owners, those beside the union included.
final class LockOwner: Sendable {
    struct Key: Hashable {
        let node: NodeID
        let owner: UInt64
    }

    let key: Key
    /// The file that it locks, as /proc/locks names it. nil: no program beside the union can lock it.
    let identity: LockedFile?
    /// Held over a lock that doesn't wait and the note of it in the ledger, so that both have one order.
    private let turn: Mutex<LockFile>

    init(_ key: Key, _ file: LockFile, isInside: Bool) {
        self.key = key
        identity = isInside ? nil : (try? file.descriptor.status()).map { LockedFile($0) }
        turn = Mutex(file)
    }

    /// The file in use. A lock that waits takes it from here, as no turn is held over the wait.
    var file: LockFile { turn.withLock { $0 } }

    /// Takes or frees a lock without waiting, and notes that. EAGAIN: another owner's lock is in the way.
    func set(_ lock: FileLock, _ ledger: LockLedger, by use: LockUse) throws(Errno) {
        try turn.withLock { file throws(Errno) in
            if !file.takes(lock.kind) { try widen(&file, use, ledger) }
            try file.descriptor.setLock(lock, wait: false)
            ledger.note(lock, of: self, by: use)
        }
    }

    /// Notes a lock that was waited for with `file`. False: the owner locks by another file now.
    func noteGranted(_ lock: FileLock, on file: LockFile, _ ledger: LockLedger, by use: LockUse) -> Bool {
        turn.withLock { current in
            guard current === file else { return false }
            ledger.note(lock, of: self, by: use)
            return true
        }
    }

    /// Frees all locks, though a thread may still wait with the file.
    func freeAll() { turn.withLock { $0.freeAll() } }

    /// Takes what the owner holds by a new open file with more access, as the owner locks by a descriptor
    /// with more access than the first one had. Read locks can be taken while the first file has them. EBADF:
    /// it can't be done.
    private func widen(_ file: inout LockFile, _ use: LockUse, _ ledger: LockLedger) throws(Errno) {
        let wider = try use.openFile(.readWrite)
        for part in ledger.ranges(of: key).parts {
            do throws(Errno) {
                try wider.descriptor.setLock(FileLock(part), wait: false)
            } catch {
                throw .badFileDescriptor
            }
        }
        file.freeAll()
        file = wider
    }
}

extension LockFile {
    func freeAll() {
        try? descriptor.setLock(FileLock(kind: .unlock, start: 0, length: 0), wait: false)
    }
}

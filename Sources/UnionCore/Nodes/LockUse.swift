internal import LinuxSystem
internal import SystemPackage

/// The handle by which an owner locks, and what it locks: the real file, or a file in its place.
struct LockUse {
    let handle: FileHandle
    let id: HandleID
    /// The process, as `F_GETLK` names it to others.
    let process: Int32
    /// Whether the lock must not show beside the union.
    let staysInside: Bool

    /// Opens a file for the owner's locks alone. The client has opened the file with `access` or less.
    func openFile(_ access: OpenFlags) throws(Errno) -> LockFile {
        if staysInside {
            let standIn = try handle.lockStandIn()
            return LockFile(try standIn.descriptor.reopen(flags: .readWrite), .readWrite)
        }
        do throws(Errno) {
            return LockFile(try handle.descriptor.reopen(flags: access), access)
        } catch {
            // The client had the right to open it so, but may have lost it since. A server that isn't root
            // may never have had it a second time: for a file that was made with the mode 0444.
            guard handle.flags.intersection(.accessMask) == access else { throw error }
            return LockFile(try handle.descriptor.duplicated(), access)
        }
    }

    /// Opens a file for an owner's first lock.
    func openFile() throws(Errno) -> LockFile {
        let own = handle.flags.intersection(.accessMask)
        // A file opened for both takes all locks that the owner may ask for by further descriptors.
        if own == .writeOnly, let file = try? openFile(.readWrite) { return file }
        return try openFile(own)
    }
}

/// A real file opened for one owner's locks.
final class LockFile: Sendable {
    let file: OwnedDescriptor
    let access: OpenFlags

    init(_ file: consuming OwnedDescriptor, _ access: OpenFlags) {
        self.file = file
        self.access = access
    }

    var descriptor: FileDescriptor { file.descriptor }

    func takes(_ kind: FileLock.Kind) -> Bool {
        switch kind {
        case .read: access.reads
        case .write: access.writes
        case .unlock: true
        }
    }
}

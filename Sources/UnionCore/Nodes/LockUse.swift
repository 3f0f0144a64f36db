internal import LinuxSystem
internal import SystemPackage

/// By which handle an owner locks, and on what: the real file, or a file in its place.
struct LockUse {
    let handle: FileHandle
    let id: HandleID
    /// The process, as `F_GETLK` names it to others.
    let process: Int32
    /// Nobody beside the union is to see the lock.
    let staysInside: Bool

    /// An open file of its own. The client has opened the file with `access` or less.
    func openFile(_ access: OpenFlags) throws(Errno) -> LockFile {
        if staysInside {
            let standIn = try handle.lockStandIn()
            return LockFile(try standIn.descriptor.reopen(flags: .readWrite), .readWrite)
        }
        do throws(Errno) {
            return LockFile(try handle.descriptor.reopen(flags: access), access)
        } catch {
            // The client had the right to open it so, which may be gone, and which a server that isn't root may never
            // have had a second time: a file that was made with the mode 0444.
            guard handle.flags.intersection(.accessMask) == access else { throw error }
            return LockFile(try handle.descriptor.duplicated(), access)
        }
    }

    /// For an owner's first lock.
    func openFile() throws(Errno) -> LockFile {
        let own = handle.flags.intersection(.accessMask)
        // With both it can have all the locks that the owner may ask for by further descriptors.
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

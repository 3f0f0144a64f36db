internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One open file of a client: the real file, opened as that client.
final class FileHandle: Sendable {
    let node: Node
    let layer: Int
    let file: OwnedDescriptor
    let flags: OpenFlags
    let io: HandleIO
    let isStream: Bool
    /// What depends on the caller in a file of a pseudo filesystem. nil: another file, or one that was just
    /// made.
    let acting: ActingFile?
    /// The metacopy itself, if another file has its data.
    private let metacopy: OwnedDescriptor?
    let isMetacopy: Bool
    /// The object that has the attributes.
    let object: FileDescriptor
    /// Whether the kernel tells of each close of a descriptor, and not only of the last one.
    let isFlushed: Bool
    /// The flags that fcntl(2) can change, as the real file has them now.
    let following: FollowedFlags
    /// Bits about its locks: `mayHold` and `isClosing`.
    private let lockMarks = Atomic<UInt8>(0)
    /// What flock(2) is called on if the real file isn't to be locked.
    private let standIn = Mutex<LockFile?>(nil)

    init(
        node: Node, layer: Int, file: consuming OwnedDescriptor, flags: OpenFlags, io: HandleIO,
        isStream: Bool, acting: ActingFile? = nil, metacopy: consuming OwnedDescriptor? = nil,
        isFlushed: Bool, keepsAccessTime: Bool
    ) {
        self.node = node
        self.layer = layer
        self.file = file
        self.flags = flags
        self.io = io
        self.isStream = isStream
        self.acting = acting
        isMetacopy = metacopy != nil
        object = metacopy?.descriptor ?? self.file.descriptor
        self.metacopy = metacopy
        self.isFlushed = isFlushed
        following = FollowedFlags(flags, io, keepsAccessTime: keepsAccessTime)
    }

    /// The open file that has the data.
    var descriptor: FileDescriptor { file.descriptor }
}

// Locks of clients.
extension FileHandle {
    private static var mayHold: UInt8 { 1 }
    private static var isClosing: UInt8 { 2 }

    /// Notes that a client takes locks by it.
    func noteLocks() {
        guard lockMarks.load(ordering: .relaxed) & Self.mayHold == 0 else { return }
        lockMarks.bitwiseOr(Self.mayHold, ordering: .relaxed)
        node.state.withLock { $0.openFiles }?.noteLocks()
    }

    /// Frees the flock(2) lock of an open file that has gone for its client. Here it may live on: the kernel
    /// holds it for the passthrough of others.
    func freeFlock() {
        guard lockMarks.load(ordering: .relaxed) & Self.mayHold != 0 else { return }
        try? descriptor.lock(flock: unlockFlock)
    }

    /// Notes that a client closes a descriptor of it, perhaps the last.
    func noteClosing() {
        guard lockMarks.load(ordering: .relaxed) & Self.mayHold != 0 else { return }
        lockMarks.bitwiseOr(Self.isClosing, ordering: .relaxed)
    }

    func expectNoRelease() { lockMarks.bitwiseAnd(~Self.isClosing, ordering: .relaxed) }
    var awaitsRelease: Bool {
        let marks = lockMarks.load(ordering: .relaxed)
        return marks & Self.isClosing != 0 || marks & Self.mayHold != 0 && !isFlushed
    }

    /// What flock(2) is called on instead of the real file. nil: it is called on the real file.
    func flockFile(_ use: LockUse) throws(Errno) -> LockFile? {
        guard use.staysInside else { return nil }
        if let known = standIn.withLock({ $0 }) { return known }
        let opened = try use.openFile()
        return standIn.withLock { file in
            let kept = file ?? opened
            file = kept
            return kept
        }
    }

    /// What the node's locks are taken on instead of the real file. All its handles have one.
    func lockStandIn() throws(Errno) -> LockFile {
        guard let openFiles = node.state.withLock({ $0.openFiles }) else { throw .badFileDescriptor }
        return try openFiles.lockStandIn()
    }
}

/// The open files of one node, and the one way in which their data moves.
///
/// The kernel takes only one way an inode at a time: passthrough with one backing id, or none. So the first
/// open decides, and the choice holds until the last one is released. The lock is held over the registration
/// with the kernel, which waits for no other request. Nothing else is called with it held.
final class OpenFiles: Sendable {
    private struct State {
        var way: Way?
        var count = 0
        var handles: [FileHandle] = []
        var standIn: LockFile?
    }

    /// What all open files of the node have in common.
    private enum Way {
        case backing(Int32)
        case requests(HandleIO)
    }

    private let state = Mutex(State())
    private let wasLocked = Atomic<Bool>(false)

    /// Notes that a client locks the file.
    func noteLocks() { wasLocked.store(true, ordering: .relaxed) }
    var mayBeLocked: Bool { wasLocked.load(ordering: .relaxed) }

    /// Counts one more open of `file`, and says how its data moves. `backing` nil: only by requests, in the
    /// way of `otherwise`.
    func open(
        _ file: FileDescriptor, _ flags: OpenFlags, _ times: AccessTimes?, backing: (any BackingStore)?,
        otherwise: HandleIO
    ) -> HandleIO {
        state.withLock { state in
            state.count += 1
            let way = state.way ?? register(file, times, backing, otherwise)
            state.way = way
            switch way {
            case .backing(let id):
                return flags.isFixedInPassthrough ? .mapped(backingID: id) : .passthrough(backingID: id)
            case .requests(let io): return io
            }
        }
    }

    private func register(
        _ file: FileDescriptor, _ times: AccessTimes?, _ backing: (any BackingStore)?, _ otherwise: HandleIO
    ) -> Way {
        if let backing, let id = try? Self.register(file, times, backing) { return .backing(id) }
        return .requests(otherwise)
    }

    /// Registers the file with the kernel, and returns its backing id. The kernel opens the file once more,
    /// by the mount of the registered descriptor: what that mount says of access times holds. EPERM, EINVAL:
    /// such a descriptor can't be had.
    private static func register(
        _ file: FileDescriptor, _ times: AccessTimes?, _ backing: any BackingStore
    ) throws(Errno) -> Int32 {
        guard let times else { return try backing.open(file) }
        let seen = try file.seen(with: times)
        return try backing.open(seen.descriptor)
    }

    /// Adds the handle of an open that was counted before.
    func add(_ handle: FileHandle) {
        state.withLock { $0.handles.append(handle) }
    }

    /// Takes back an open. With the last one the registration with the kernel ends.
    func close(_ handle: FileHandle?, backing: (any BackingStore)?) {
        let ended: Way? = state.withLock { state in
            if let handle, let index = state.handles.firstIndex(where: { $0 === handle }) {
                state.handles.swapAt(index, state.handles.count - 1)
                state.handles.removeLast()
            }
            state.count -= 1
            guard state.count == 0 else { return nil }
            defer {
                state.way = nil
                state.standIn = nil
            }
            return state.way
        }
        if case .backing(let id) = ended { backing?.close(id) }
    }

    /// A file in memory that stands in for the node's, where locks must stay inside the union.
    func lockStandIn() throws(Errno) -> LockFile {
        if let known = state.withLock({ $0.standIn }) { return known }
        let made = LockFile(try FileDescriptor.memoryFile(), .readWrite)
        return state.withLock { state in
            let kept = state.standIn ?? made
            state.standIn = kept
            return kept
        }
    }

    /// Whether the kernel may be about to tell that another open file with locks is released.
    func awaitsRelease(besides handle: FileHandle) -> Bool {
        state.withLock { $0.handles.contains { $0 !== handle && $0.awaitsRelease } }
    }

    func expectNoRelease() {
        state.withLock { for handle in $0.handles { handle.expectNoRelease() } }
    }

    /// An open file of the node, whichever it is.
    var anyHandle: FileHandle? { state.withLock { $0.handles.last } }
    var count: Int { state.withLock { $0.count } }
    /// Whether the kernel has pages of the file in the union's own cache.
    var hasPages: Bool {
        state.withLock { if case .requests(.cached) = $0.way { true } else { false } }
    }
    /// Whether an open file may write.
    var hasWriter: Bool { state.withLock { $0.handles.contains { $0.flags.writes } } }
}

/// LOCK_UN of <sys/file.h>.
let unlockFlock: Int32 = 8

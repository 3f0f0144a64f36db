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
    /// Of a file of a pseudo filesystem, where it was there before.
    let acting: ActingFile?
    /// Of a metacopy, whose data another file has: itself.
    private let metacopy: OwnedDescriptor?
    let isMetacopy: Bool
    /// What has the attributes.
    let object: FileDescriptor

    init(
        node: Node, layer: Int, file: consuming OwnedDescriptor, flags: OpenFlags, io: HandleIO,
        isStream: Bool, acting: ActingFile? = nil, metacopy: consuming OwnedDescriptor? = nil
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
    }

    /// The data.
    var descriptor: FileDescriptor { file.descriptor }
}

/// The open files of one node, and the one way in which their data moves.
///
/// The kernel takes only one way an inode at a time: passthrough with one backing id, or none. So the first
/// open decides, and the choice holds until the last one is released. Its lock is held over the registration
/// with the kernel, which waits for nobody; nothing else is called with it held.
final class OpenFiles: Sendable {
    private struct State {
        var io: HandleIO?
        var count = 0
        var handles: [FileHandle] = []
    }

    private let state = Mutex(State())

    /// Counts one more open of `file`, and says how its data moves. `backing` nil: requests only.
    func open(_ file: FileDescriptor, backing: (any BackingStore)?) -> HandleIO {
        state.withLock { state in
            state.count += 1
            if let io = state.io { return io }
            var io = HandleIO.direct
            if let backing, let id = try? backing.open(file) { io = .passthrough(backingID: id) }
            state.io = io
            return io
        }
    }

    /// Remembers the handle of an open counted before.
    func add(_ handle: FileHandle) {
        state.withLock { $0.handles.append(handle) }
    }

    /// Takes back an open; with the last one the registration with the kernel ends.
    func close(_ handle: FileHandle?, backing: (any BackingStore)?) {
        let ended: HandleIO? = state.withLock { state in
            if let handle, let index = state.handles.firstIndex(where: { $0 === handle }) {
                state.handles.swapAt(index, state.handles.count - 1)
                state.handles.removeLast()
            }
            state.count -= 1
            guard state.count == 0 else { return nil }
            defer { state.io = nil }
            return state.io
        }
        if case .passthrough(let id) = ended { backing?.close(id) }
    }

    /// Some open file of the node.
    var anyHandle: FileHandle? { state.withLock { $0.handles.last } }
    var count: Int { state.withLock { $0.count } }
    /// Whether one of them may write.
    var hasWriter: Bool { state.withLock { $0.handles.contains { $0.flags.writes } } }
}

internal import LinuxSystem
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// The thread that lists directories through the mount, so that the kernel takes in their files before clients ask.
///
/// The lock is a leaf.
final class Teller: DirectoryTeller {
    /// More than a few directories behind, clients ask by themselves.
    private static let mostWaiting = 4
    /// For so many milliseconds the mount stays in reach for the next directory.
    private static let patience: UInt32 = 20
    /// In bytes; enough for the most files of one answer.
    private static let bufferSize = 64 * 1024

    private struct State {
        var waiting: [AheadTarget] = []
        var isEnding = false
    }

    private let union: Union
    private let mountPoint: OwnedName
    private let device: UInt64
    private let state = Mutex(State())
    private let work = Semaphore()
    private let thread = Mutex<WorkerThread?>(nil)

    /// Throws where the server may not clone the mount (EPERM).
    init(_ union: Union, mountPoint: String) throws(Errno) {
        self.union = union
        self.mountPoint = OwnedName(Array(mountPoint.utf8))
        device = try MountClone(of: self.mountPoint.ref).device()
    }

    func start() throws(Errno) {
        let started = try WorkerThread.spawn(name: "switchfs-ahead", stackSize: 256 * 1024) { [self] in run()
        }
        thread.withLock { $0 = started }
        union.startTellingAhead(self)
    }

    /// Ends the thread, and lets go of the mount. Returns when it has gone.
    func end() {
        union.stopTellingAhead()
        state.withLock { $0.isEnding = true }
        work.raise()
        thread.withLock { $0.take() }?.join()
    }

    func tell(_ target: AheadTarget) {
        let isTaken = state.withLock { state in
            guard !state.isEnding, state.waiting.count < Self.mostWaiting else { return false }
            state.waiting.append(target)
            return true
        }
        if isTaken { work.raise() } else { union.dropAhead(target) }
    }

    private var isEnding: Bool { state.withLock { $0.isEnding } }

    private func take() -> AheadTarget? {
        state.withLock { $0.isEnding || $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    private func run() {
        while !isEnding {
            work.wait()
            guard let target = take() else { continue }
            tellAll(from: target)
        }
    }

    /// Tells directories as long as they come close after one another.
    private func tellAll(from first: AheadTarget) {
        // Something else may be mounted there by now.
        guard let mount = try? MountClone(of: mountPoint.ref), (try? mount.device()) == device,
            let root = try? mount.openRoot()
        else { return union.dropAhead(first) }
        var next: AheadTarget? = first
        while let target = next {
            tell(target, on: root.descriptor)
            next = take()
            if next == nil, !isEnding {
                work.wait(atMost: Self.patience)
                next = take()
            }
        }
    }

    private func tell(_ target: AheadTarget, on mount: FileDescriptor) {
        guard union.beginAhead(target, by: ThreadID.current.rawValue) else { return }
        defer { union.endAhead() }
        // ESTALE: the kernel has forgotten it.
        let handle = FileHandle(
            fuseNode: target.directory.rawValue, generation: Entry.generation(of: target.directory))
        guard let list = try? mount.open(handle, flags: [.readOnly, .directory]) else { return }
        try? readThrough(list.descriptor)
    }

    /// Reads until all was told. What is read isn't needed.
    private func readThrough(_ list: FileDescriptor) throws(Errno) {
        var stream = DirectoryStream(reading: list, bufferSize: Self.bufferSize)
        try stream.seek(to: Union.aheadOffset)
        while !isEnding, let name = union.nextAhead() {
            _ = try? list.status(at: name.ref)
            try stream.skip()
        }
    }
}

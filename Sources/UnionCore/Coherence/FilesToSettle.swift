internal import LinuxSystem
internal import Synchronization

/// Files that the kernel keeps for good, though they have no watch of their own yet: their directory's watch tells of
/// them till then. About a second after they were told they get their own.
///
/// Most programs look at a few thousand files, and some go through hundreds of thousands. Where more come without a
/// pause than should have watches, none of them has one in the end: what the kernel has of them is dropped, watches
/// are given back, and it may keep those that follow for a second only. The lock is a leaf.
final class FilesToSettle: Sendable {
    /// How long files wait, in milliseconds.
    private static let patience: UInt32 = 700
    /// The most files that get watches without a pause.
    private static let most = 16384
    /// How long a pause is, in nanoseconds.
    private static let pause: UInt64 = 2_000_000_000

    /// A file that waits, by its number: to hold the node would keep the descriptor of a removed file open.
    struct File {
        let node: NodeID
        /// The fingerprint of the attributes that were reported, and the node's count of endings then.
        let reported: UInt64
        let endings: UInt16
    }

    /// What is to be done about files that have waited.
    struct Work {
        var files: [File] = []
        /// They and those that have got watches before are too many.
        var areTooMany = false
        var settled: [NodeID] = []
    }

    fileprivate struct State {
        var work = Work()
        var lastFile: UInt64 = 0
        /// None is taken until there is a pause.
        var isResting = false
        /// False: nobody would settle them.
        var isServed = false
    }

    private let state = Mutex(State())
    private let work = Semaphore()

    /// Takes the file. False: it may be kept for a second only.
    func add(_ file: File) -> Bool {
        let (isTaken, wakes) = state.withLock { state in
            // Read under the lock: a time before that of the last file would look like a pause.
            let now = monotonicNanoseconds()
            guard state.isServed else { return (false, false) }
            if now &- state.lastFile > Self.pause { state.begin() }
            state.lastFile = now
            if state.isResting { return (false, false) }
            guard state.work.files.count + state.work.settled.count < Self.most else {
                state.isResting = true
                state.work.areTooMany = true
                return (false, state.work.files.isEmpty)
            }
            state.work.files.append(file)
            return (true, state.work.files.count == 1)
        }
        if wakes { work.raise() }
        return isTaken
    }

    /// Takes out the files that wait.
    func take() -> Work {
        state.withLock { state in
            let work = state.work
            state.work.files = []
            if work.areTooMany { state.work = Work() }
            return work
        }
    }

    /// Notes that the file has got its own watch.
    func noteSettled(_ file: NodeID) { state.withLock { $0.work.settled.append(file) } }

    /// Waits until there are files that have waited long enough. False: it is over.
    func wait() -> Bool {
        work.wait()
        if isServed { work.wait(atMost: Self.patience) }
        return isServed
    }

    private var isServed: Bool { state.withLock { $0.isServed } }

    func start() { state.withLock { $0.isServed = true } }

    func stop() {
        state.withLock { $0.isServed = false }
        work.raise()
    }
}

extension FilesToSettle.State {
    /// Begins anew after a pause: what was settled before doesn't count any more.
    fileprivate mutating func begin() {
        isResting = false
        if !work.areTooMany { work.settled = [] }
    }
}

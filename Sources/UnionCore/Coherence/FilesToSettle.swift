internal import LinuxSystem
internal import Synchronization

/// Files that the kernel keeps for good, though they have no watch of their own yet: their directory's watch tells of
/// them till then. About a second after they were told they get their own.
///
/// Most programs look at a few thousand files, and some go through hundreds of thousands. Where more come in a
/// second than should have watches, none of them gets one: what the kernel has of them is dropped, and those that
/// follow it may keep for a second only. The lock is a leaf.
final class FilesToSettle: Sendable {
    /// How long files wait, in milliseconds.
    static let patience: UInt32 = 700
    private static let most = 4096
    /// The most watches that the server has when it asks for more of these.
    private static let mostWatches = 16384
    /// For so many nanoseconds after too many files none is taken.
    fileprivate static let rest: UInt64 = 3_000_000_000

    fileprivate struct State {
        var files: [DeferredWatch] = []
        var areTooMany = false
        /// How many weren't taken since the rest began.
        var refused = 0
        var restUntil: UInt64 = 0
        /// False: nobody would settle them.
        var isServed = false
    }

    private let state = Mutex(State())
    private let work = Semaphore()

    /// Takes the file. False: it may be kept for a second only.
    func add(_ file: DeferredWatch, watches: Int) -> Bool {
        let now = monotonicNanoseconds()
        let (isTaken, isFirst) = state.withLock { state in
            guard state.isServed else { return (false, false) }
            if now < state.restUntil {
                state.refused += 1
                if state.refused > Self.most { state.rest(from: now) }
                return (false, false)
            }
            guard state.files.count < Self.most, watches < Self.mostWatches else {
                state.areTooMany = state.files.count >= Self.most
                state.rest(from: now)
                return (false, false)
            }
            state.files.append(file)
            return (true, state.files.count == 1)
        }
        if isFirst { work.raise() }
        return isTaken
    }

    /// Takes out the files that wait. `areTooMany`: they are to be dropped.
    func take() -> (files: [DeferredWatch], areTooMany: Bool) {
        state.withLock { state in
            defer {
                state.files = []
                state.areTooMany = false
            }
            return (state.files, state.areTooMany)
        }
    }

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
    fileprivate mutating func rest(from now: UInt64) {
        refused = 0
        restUntil = now + FilesToSettle.rest
    }
}

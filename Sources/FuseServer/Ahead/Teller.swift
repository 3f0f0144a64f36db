internal import LinuxSystem
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// Has directories listed through the mount, so that the kernel takes in their files before clients ask. Its thread
/// finds out what is to be told, and another makes the calls (`Lister`).
///
/// The locks are leaves.
final class Teller: DirectoryTeller {
    /// More than a few directories behind, clients ask by themselves.
    private static let mostWaiting = 4
    /// For so many milliseconds the mount stays in reach for the next directory.
    private static let patience: UInt32 = 20

    private struct State {
        var waiting: [NodeID] = []
        var isEnding = false
    }

    private let union: Union
    private let lister: Lister
    private let state = Mutex(State())
    private let work = Semaphore()
    private let hasEnded = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Throws where the server may not clone the mount (EPERM).
    init(_ union: Union, mountPoint: String) throws(Errno) {
        self.union = union
        lister = try Lister(mountPoint: mountPoint, offset: Union.aheadOffset)
    }

    func start() throws(Errno) {
        try lister.start()
        do throws(Errno) {
            let started = try WorkerThread.spawn(name: "switchfs-ahead", stackSize: 256 * 1024) { [self] in
                run()
            }
            thread.withLock { $0 = started }
        } catch {
            lister.end()
            throw error
        }
        union.startTellingAhead(self)
    }

    /// Ends the threads, and lets go of the mount. False: they haven't ended after `seconds`.
    func end(within seconds: Int) -> Bool {
        union.stopTellingAhead()
        state.withLock { $0.isEnding = true }
        work.raise()
        for _ in 0..<(seconds * 1000) where !hasEnded.load(ordering: .acquiring) { pause(milliseconds: 1) }
        guard hasEnded.load(ordering: .acquiring) else { return false }
        thread.withLock { $0.take() }?.join()
        lister.end()
        return true
    }

    func tell(_ directory: NodeID) {
        let isTaken = state.withLock { state in
            guard !state.isEnding, state.waiting.count < Self.mostWaiting else { return false }
            state.waiting.append(directory)
            return true
        }
        if isTaken { work.raise() } else { union.dropAhead(directory) }
    }

    private var isEnding: Bool { state.withLock { $0.isEnding } }

    private func take() -> NodeID? {
        state.withLock { $0.isEnding || $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    private func run() {
        while !isEnding {
            work.wait()
            guard let directory = take() else { continue }
            tellAll(from: directory)
        }
        hasEnded.store(true, ordering: .releasing)
    }

    /// Tells directories as long as they come close after one another.
    private func tellAll(from first: NodeID) {
        guard lister.carryOut(.arrive) else { return union.dropAhead(first) }
        defer { _ = lister.carryOut(.leave) }
        var next: NodeID? = first
        while let directory = next {
            list(directory)
            // Each directory comes with one raise.
            work.wait(atMost: Self.patience)
            next = take()
        }
    }

    private func list(_ directory: NodeID) {
        guard let path = union.beginAhead(directory, by: lister.threadNumber) else { return }
        defer { union.endAhead() }
        guard lister.carryOut(.open(path)) else { return }
        defer { _ = lister.carryOut(.close) }
        while !isEnding, let name = union.nextNameAhead(), lister.carryOut(.read(name)) {}
    }
}

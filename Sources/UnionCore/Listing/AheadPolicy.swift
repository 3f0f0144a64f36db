internal import LinuxSystem
internal import Synchronization

/// When the files of a directory are told ahead, and how many.
///
/// A client that looks at several files of a directory close after one another will probably look at more. So the
/// files of the directory are told before it asks, on a thread that is there for that (`DirectoryTeller`). First
/// 256; each time that the client asks on, for names that weren't told, four times as many.
///
/// It must pay. So of 128 files one is left out. A client that goes on through the directory
/// asks for those. Where they mostly aren't asked for, it takes more looks until files are told ahead. The lock
/// is a leaf.
final class AheadPolicy: Sendable {
    /// Looks that are so far apart, in nanoseconds, aren't close after one another.
    private static let patience: UInt64 = 50_000_000
    fileprivate static let mostCourses = 32
    fileprivate static let firstPart = 256
    private static let mostOfPart = 16384
    /// Of fewer told files it isn't said how long one takes.
    private static let fewestToJudge = 64
    /// A directory that changes more often while it is told isn't worth it.
    private static let mostChanges = 64
    /// For so many nanoseconds nothing is told after that didn't pay.
    private static let rest: UInt64 = 200_000_000
    /// After this many files one is left out.
    private static let interval = 128
    /// How many looks it takes at first, and (`mostLooks`) at most.
    fileprivate static let fewestLooks = 4
    /// So many looks in a directory that was told make it worth to tell it again.
    private static let looksToBeginAnew = 256
    fileprivate static let mostLooks = 1024

    /// What clients do with one directory.
    fileprivate struct Course {
        let directory: NodeID
        var lastLook: UInt64 = 0
        /// How many files were asked for close after one another, and when the first one was.
        var looks = 0
        var firstLook: UInt64 = 0
        /// How many nanoseconds a file took that was asked for.
        var timePerLook: UInt64 = .max
        var isBusy = false
        /// Where telling goes on. nil: it is through.
        var next: UInt64? = 0
        var part = AheadPolicy.firstPart
        /// The hashes of the names that were left out.
        var leftOut: [UInt64] = []
    }

    fileprivate struct State {
        /// The latest at the end.
        var courses: [Course] = []
        /// How many looks it takes.
        var threshold: Int
        /// How many names were left out since it was set, and how many of these were asked for.
        var leftOut = 0
        var asked = 0
        /// How many files were told since one was left out.
        var told = 0
        /// Until then nothing is told.
        var restUntil: UInt64 = 0
    }

    private let mode: AheadMode
    private let state: Mutex<State>
    /// How many files were told ahead.
    let told = Atomic<UInt64>(0)
    /// The directory that is told now, and how often it has changed meanwhile.
    private let current = Atomic<UInt64>(0)
    private let changes = Atomic<Int>(0)

    init(_ mode: AheadMode) {
        self.mode = mode
        state = Mutex(State(threshold: mode == .always ? 1 : Self.fewestLooks))
    }

    var isForced: Bool { mode == .always }
    private var looksToBeginAnew: Int { isForced ? 1 : Self.looksToBeginAnew }

    /// Notes that a client asked for a file. True: the directory's files are to be told ahead.
    func noteLook(at name: PathRef, in directory: NodeID) -> Bool {
        state.withLock { state in
            // Read under the lock: no look is before the one that was noted last.
            let now = monotonicNanoseconds()
            let index = state.course(of: directory)
            state.noteIfLeftOut(name, of: index)
            if now < state.restUntil { return false }
            state.courses[index].noteLook(now, patience: Self.patience)
            guard state.courses[index].mayBegin(after: state.threshold, anewAfter: looksToBeginAnew) else {
                return false
            }
            state.courses[index].begin(now)
            return true
        }
    }

    /// Begins to tell. nil: it is through with that directory.
    func begin(_ directory: NodeID) -> (offset: UInt64, count: Int)? {
        changes.store(0, ordering: .relaxed)
        current.store(directory.rawValue, ordering: .relaxed)
        return state.withLock { state in
            let course = state.courses[state.course(of: directory)]
            return course.next.map { ($0, course.part) }
        }
    }

    /// Whether the next file is left out.
    func leavesOut(_ name: PathRef, of directory: NodeID) -> Bool {
        let hash = name.hash
        return state.withLock { state in
            state.told += 1
            guard state.told >= Self.interval else { return false }
            state.told = 0
            state.leftOut += 1
            state.courses[state.course(of: directory)].leftOut.append(hash)
            return true
        }
    }

    /// Ends the telling of a part. `next`: where it goes on; nil: the directory is through. `took`: in nanoseconds.
    func end(_ directory: NodeID, next: UInt64?, told count: Int, took time: UInt64) {
        told.add(UInt64(count), ordering: .relaxed)
        current.store(0, ordering: .relaxed)
        let now = monotonicNanoseconds()
        state.withLock { state in
            let index = state.course(of: directory)
            // Where the processors are busy, a file may take longer so than if it is asked for.
            let isSlow =
                count >= Self.fewestToJudge && time / UInt64(count) > state.courses[index].timePerLook
            if mode == .auto, isSlow || isChanging { state.restUntil = now + Self.rest }
            state.courses[index].isBusy = false
            state.courses[index].looks = 0
            state.courses[index].next = next
            state.courses[index].part = min(state.courses[index].part * 4, Self.mostOfPart)
            if mode == .auto { state.judge() }
        }
    }

    /// Notes a change of the directory's entries.
    func noteChange(of directory: NodeID) {
        if current.load(ordering: .relaxed) == directory.rawValue { changes.add(1, ordering: .relaxed) }
    }

    /// Whether the directory that is told now changes so much that it isn't worth it.
    var isChanging: Bool { mode == .auto && changes.load(ordering: .relaxed) > Self.mostChanges }

    /// Gives up what was to be told of the directory now. Further looks may begin it again.
    func drop(_ directory: NodeID) {
        state.withLock { state in
            let index = state.course(of: directory)
            state.courses[index].isBusy = false
        }
    }

    /// Forgets the directory, as the kernel has. One that is being told stays until that ends.
    func forget(_ directory: NodeID) {
        state.withLock { $0.courses.removeAll { $0.directory == directory && !$0.isBusy } }
    }
}

extension AheadPolicy.Course {
    fileprivate mutating func noteLook(_ now: UInt64, patience: UInt64) {
        if now &- lastLook > patience { looks = 0 }
        if looks == 0 { firstLook = now }
        lastLook = now
        looks += 1
    }

    fileprivate mutating func mayBegin(after needed: Int, anewAfter looksToBeginAnew: Int) -> Bool {
        if isBusy || looks < needed { return false }
        // It is through with the directory, but the kernel has forgotten what it was told.
        if next == nil, looks >= looksToBeginAnew { (next, part) = (0, AheadPolicy.firstPart) }
        return next != nil
    }

    fileprivate mutating func begin(_ now: UInt64) {
        if looks > 1 { timePerLook = (now &- firstLook) / UInt64(looks - 1) }
        looks = 0
        isBusy = true
    }
}

extension AheadPolicy.State {
    /// The index of the directory's course, which is now the latest.
    fileprivate mutating func course(of directory: NodeID) -> Int {
        if courses.last?.directory == directory { return courses.count - 1 }
        if let index = courses.firstIndex(where: { $0.directory == directory }) {
            courses.append(courses.remove(at: index))
        } else {
            if courses.count >= AheadPolicy.mostCourses { courses.removeFirst() }
            courses.append(AheadPolicy.Course(directory: directory))
        }
        return courses.count - 1
    }

    fileprivate mutating func noteIfLeftOut(_ name: PathRef, of index: Int) {
        if courses[index].leftOut.isEmpty { return }
        let hash = name.hash
        guard let found = courses[index].leftOut.firstIndex(of: hash) else { return }
        courses[index].leftOut.remove(at: found)
        asked += 1
    }

    /// Sets how many looks it takes by what became of the names that were left out.
    fileprivate mutating func judge() {
        // Those of the last part may still be asked for.
        guard leftOut >= 16 else { return }
        if asked * 4 < leftOut {
            threshold = min(threshold * 4, AheadPolicy.mostLooks)
        } else if asked * 2 >= leftOut {
            threshold = AheadPolicy.fewestLooks
        }
        (leftOut, asked) = (0, 0)
    }
}

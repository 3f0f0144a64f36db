internal import LinuxSystem
internal import Synchronization

/// What a caller does with the files that it lists.
enum ListingHabit {
    /// Little: it wants only their names.
    case names
    /// It looks at each, as `ls -l` and `grep -r` do.
    case looks
    /// It looks for each and removes it, as `rm -r` does.
    case removes
}

/// What callers do with the files that they list, told from what they did with those of the last directory.
///
/// A caller that looks at each file gets the files along with their names (READDIRPLUS), which saves a round
/// trip for each. Other callers don't, as each file costs several system calls. A caller that got the files
/// looks at them without a request. So after some directories one is listed by names alone again, to see
/// whether the caller still looks. A caller is a thread: requests don't say more. The lock is a leaf.
final class ReaddirPlusPolicy: Sendable {
    private static let mostCallers = 8

    fileprivate struct Caller {
        let thread: Int32
        var directory: NodeID
        /// How many files in it were listed by their names alone, and what the caller did with such files.
        var listed = 0
        var looked = 0
        var removed = 0
        var habit = ListingHabit.names
        /// For so many more directories the habit is taken for granted.
        var credit = 0
        /// The credit that was given last.
        var lastCredit = 0
    }

    /// The callers by their last listing, the latest at the end.
    private let callers = Mutex<[Caller]>([])

    /// Begins the listing of a directory, or of a further part of it. Returns what the caller will probably
    /// do with the files.
    func begin(_ thread: Int32, _ directory: NodeID, isFirst: Bool) -> ListingHabit {
        // A caller of another process namespace can't be told from others.
        guard thread > 0 else { return .names }
        return callers.withLock { callers in
            var caller = Caller(thread: thread, directory: directory)
            if let index = callers.firstIndex(where: { $0.thread == thread }) {
                caller = callers.remove(at: index)
            } else if callers.count >= Self.mostCallers {
                callers.removeFirst()
            }
            if isFirst || caller.directory != directory {
                caller.begin(directory)
            } else {
                caller.goOn()
            }
            callers.append(caller)
            return caller.habit
        }
    }

    /// Notes that so many files of the directory were listed by their names alone.
    func noteListed(_ thread: Int32, _ directory: NodeID, count: Int) {
        note(thread, directory) { $0.listed += count }
    }

    /// Notes that the caller asked for a file of the directory.
    func noteLook(_ thread: Int32, _ directory: NodeID) {
        note(thread, directory) { $0.looked += 1 }
    }

    /// Notes that so many files of the directory were told ahead, as a caller looks at one after the other.
    func noteTold(_ directory: NodeID, count: Int) {
        note(nil, directory) { $0.looked += count }
    }

    func noteRemoval(_ thread: Int32, _ directory: NodeID) {
        note(thread, directory) { $0.removed += 1 }
    }

    /// `thread` nil: of all callers that list the directory.
    private func note(_ thread: Int32?, _ directory: NodeID, _ change: (inout Caller) -> Void) {
        callers.withLock { callers in
            for index in callers.indices where callers[index].directory == directory {
                if thread == nil || callers[index].thread == thread { change(&callers[index]) }
            }
        }
    }
}

extension ReaddirPlusPolicy.Caller {
    fileprivate mutating func begin(_ directory: NodeID) {
        if listed > 0 { learn() }
        if credit > 0 { credit -= 1 } else { habit = .names }
        self.directory = directory
        (listed, looked, removed) = (0, 0, 0)
    }

    /// Learns in the midst of a directory: the kernel asks for more than names where a caller has looked at
    /// some files.
    fileprivate mutating func goOn() {
        if habit == .names && listed > 0 { learn() }
    }

    private mutating func learn() {
        habit = seen
        lastCredit = habit == .names ? 0 : min(max(lastCredit * 2, 4), 64)
        credit = lastCredit
        (listed, looked, removed) = (0, 0, 0)
    }

    /// The habit, as what was done with most of the files shows.
    private var seen: ListingHabit {
        if looked * 2 < listed { return .names }
        return removed * 2 < listed ? .looks : .removes
    }
}

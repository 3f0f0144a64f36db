internal import LinuxSystem
internal import Synchronization

/// What a caller does with the files that it lists.
enum ListingHabit {
    /// Little: it wants their names.
    case names
    /// It looks at each, as `ls -l` and `grep -r` do.
    case looks
    /// It looks for each and removes it, as `rm -r` does.
    case removes
}

/// What callers do with the files that they list, told from what they did with those of the last directory.
///
/// Who looks at each is told of the files along with their names (READDIRPLUS), which saves a round trip for each.
/// Others aren't, as each file costs several system calls. Who was told looks without asking us. So after some
/// directories one is listed by names alone again, to see whether it still does. A caller is a thread: requests don't
/// say more. The lock is a leaf.
final class ReaddirPlusPolicy: Sendable {
    private static let mostCallers = 8

    fileprivate struct Caller {
        let thread: Int32
        var directory: NodeID
        /// Files listed in it by their names alone, and what the caller did about such.
        var listed = 0
        var looked = 0
        var removed = 0
        var habit = ListingHabit.names
        /// For so many more directories the habit is taken for granted.
        var credit = 0
        /// The credit that was given last.
        var lastCredit = 0
    }

    /// The one that listed something last is the last.
    private let callers = Mutex<[Caller]>([])

    /// The caller lists a directory, or a further part of it. Returns what it will probably do with it.
    func begin(_ thread: Int32, _ directory: NodeID, isFirst: Bool) -> ListingHabit {
        // One of another process namespace: it can't be told from others.
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

    /// So many files of the directory were listed by their names alone.
    func noteListed(_ thread: Int32, _ directory: NodeID, count: Int) {
        note(thread, directory) { $0.listed += count }
    }

    /// The caller asked for one of its files.
    func noteLook(_ thread: Int32, _ directory: NodeID) {
        note(thread, directory) { $0.looked += 1 }
    }

    func noteRemoval(_ thread: Int32, _ directory: NodeID) {
        note(thread, directory) { $0.removed += 1 }
    }

    private func note(_ thread: Int32, _ directory: NodeID, _ change: (inout Caller) -> Void) {
        callers.withLock { callers in
            for index in callers.indices
            where callers[index].thread == thread && callers[index].directory == directory {
                change(&callers[index])
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

    /// The kernel asks for more than names in the midst of a directory where somebody has looked at some.
    fileprivate mutating func goOn() {
        if habit == .names && listed > 0 { learn() }
    }

    private mutating func learn() {
        habit = seen
        lastCredit = habit == .names ? 0 : min(max(lastCredit * 2, 4), 64)
        credit = lastCredit
        (listed, looked, removed) = (0, 0, 0)
    }

    /// Most of the files say what the caller does.
    private var seen: ListingHabit {
        if looked * 2 < listed { return .names }
        return removed * 2 < listed ? .looks : .removes
    }
}

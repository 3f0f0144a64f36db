internal import LinuxSystem
internal import Synchronization

/// Orphans that clients have emptied. They aren't shown any more, but rmdir(2) still finds them: a program
/// that removes a tree first removes what is in a directory, then the directory.
///
/// The key is the skeleton's real directory. The lock is a leaf.
final class EmptiedOrphans: Sendable {
    /// The most that are remembered. If clients empty more without removing them, all earlier ones are
    /// forgotten.
    private static let most = 65_536

    private struct Key: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ skeleton: FileStatus) {
            device = skeleton.device
            inode = skeleton.inode
        }
    }

    private let known = Mutex<Set<Key>>([])
    /// How many there are, to be read without the lock.
    private let count = Atomic<Int>(0)

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    func has(_ skeleton: FileStatus) -> Bool {
        if isEmpty { return false }
        return known.withLock { $0.contains(Key(skeleton)) }
    }

    /// Notes that a client has taken the last entry out of the skeleton.
    func note(_ skeleton: FileStatus) {
        known.withLock { known in
            if known.count >= Self.most { known = [] }
            known.insert(Key(skeleton))
            count.store(known.count, ordering: .relaxed)
        }
    }

    /// Forgets the skeleton: it is removed, holds something again, or is no orphan. False: it wasn't known.
    @discardableResult
    func forget(_ skeleton: FileStatus) -> Bool {
        if isEmpty { return false }
        return known.withLock { known in
            defer { count.store(known.count, ordering: .relaxed) }
            return known.remove(Key(skeleton)) != nil
        }
    }
}

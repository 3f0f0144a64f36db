internal import LinuxSystem
internal import Synchronization

/// Orphans that clients have emptied. They aren't shown any more, but rmdir(2) still finds them: who removes a tree removes
/// what is in a directory first, and then the directory.
///
/// By the skeleton's real directory. The lock is a leaf.
final class EmptiedOrphans: Sendable {
    /// Who empties more without removing them finds the first ones gone.
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
    /// How many there are, for who asks without the lock.
    private let count = Atomic<Int>(0)

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    func has(_ skeleton: FileStatus) -> Bool {
        if isEmpty { return false }
        return known.withLock { $0.contains(Key(skeleton)) }
    }

    /// A client has taken the last entry out of it.
    func note(_ skeleton: FileStatus) {
        known.withLock { known in
            if known.count >= Self.most { known = [] }
            known.insert(Key(skeleton))
            count.store(known.count, ordering: .relaxed)
        }
    }

    /// It is removed, holds something again, or is no orphan. False: it wasn't one of them.
    @discardableResult
    func forget(_ skeleton: FileStatus) -> Bool {
        if isEmpty { return false }
        return known.withLock { known in
            defer { count.store(known.count, ordering: .relaxed) }
            return known.remove(Key(skeleton)) != nil
        }
    }
}

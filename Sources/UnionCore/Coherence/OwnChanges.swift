internal import LinuxSystem
internal import Synchronization

/// A change of the union's own that is under way on one name. Until its end the name isn't judged: the real
/// change comes first, then the note of what the kernel will know by the name. It ends with `end` or
/// `endUnseen`, or by itself if it failed.
struct OwnChange: ~Copyable {
    private let changes: OwnChanges?
    private let directory: Node
    private let key: EntryKey

    /// `changes` nil: the union notes no changes, as nothing is kept.
    init(_ changes: OwnChanges?, _ directory: Node, _ name: PathRef) {
        self.changes = changes
        self.directory = directory
        key = EntryKey(directory.id, name)
        guard let changes else { return }
        directory.activity?.beginChange()
        changes.begin(key)
    }

    deinit {
        guard let changes else { return }
        changes.end(key)
        directory.activity?.endChange()
    }

    /// Ends a change that is through, and noted. The directory has changed by it.
    consuming func end(by caller: CallerIdentity) {
        if changes != nil { directory.noteOwnChange(by: caller.pid) }
    }

    /// Ends a change that no user can see.
    consuming func endUnseen() {}
}

/// The names that the union itself is about to change. The lock is a leaf.
final class OwnChanges: Sendable {
    private let pending = Mutex<[EntryKey: Int]>([:])
    private let count = Atomic<Int>(0)

    func begin(_ key: EntryKey) {
        pending.withLock { $0[key, default: 0] += 1 }
        count.add(1, ordering: .sequentiallyConsistent)
    }

    func end(_ key: EntryKey) {
        pending.withLock { pending in
            guard let depth = pending[key] else { return }
            pending[key] = depth > 1 ? depth - 1 : nil
        }
        count.subtract(1, ordering: .sequentiallyConsistent)
    }

    func isPending(_ key: EntryKey) -> Bool {
        guard count.load(ordering: .sequentiallyConsistent) != 0 else { return false }
        return pending.withLock { $0[key] != nil }
    }
}

internal import LinuxSystem
internal import Synchronization

/// Who was told ESTALE of a directory that isn't where it was.
///
/// Upon ESTALE the kernel walks the path again and asks for each name on it. Who came by a path finds what is there now.
/// Who stands in the directory, or has it open, comes to the same directory a second time: to that caller it is ENOENT.
/// The lock is a leaf.
final class StaleAnswers: Sendable {
    private static let most = 64

    private let said = Mutex<[Int32: NodeID]>([:])
    private let isEmpty = Atomic<Bool>(true)

    /// Whether ESTALE is the answer, for the caller of that number comes to the directory for the first time.
    func mustSay(to caller: Int32, _ directory: NodeID) -> Bool {
        said.withLock { said in
            if said[caller] == directory { return false }
            if said.count >= Self.most { said.removeAll(keepingCapacity: true) }
            said[caller] = directory
            isEmpty.store(false, ordering: .sequentiallyConsistent)
            return true
        }
    }

    /// The caller was told a directory by its name: it walks anew.
    func forget(_ caller: Int32) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        said.withLock { said in
            said[caller] = nil
            if said.isEmpty { isEmpty.store(true, ordering: .sequentiallyConsistent) }
        }
    }
}

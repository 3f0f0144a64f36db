internal import LinuxSystem
internal import Synchronization

/// Which callers were told ESTALE of a directory that isn't where it was.
///
/// Upon ESTALE the kernel walks the path again and asks for each name on it. A caller that came by a path
/// finds what is there now. A caller that stands in the directory, or has it open, comes to the same
/// directory a second time: the answer to that caller is ENOENT.
///
/// Where the kernel only checks what it knows by a name, it takes any error for "no more", and asks again.
/// Then it must be told a second time. The lock is a leaf.
final class StaleAnswers: Sendable {
    private struct Answer {
        let directory: NodeID
        /// The kernel may only have checked a name.
        let mayBeUnheard: Bool
    }

    private static let most = 64

    private let said = Mutex<[Int32: Answer]>([:])
    private let isEmpty = Atomic<Bool>(true)

    /// Whether ESTALE is the answer: the caller of that number comes to the directory for the first time.
    /// `mayCheckOnly`: the kernel may know the name that it asks for.
    func mustSay(to caller: Int32, _ directory: NodeID, mayCheckOnly: Bool) -> Bool {
        said.withLock { said in
            let last = said[caller]
            let isRepeated = last?.directory == directory
            if isRepeated && last?.mayBeUnheard == false { return false }
            if said.count >= Self.most { said.removeAll(keepingCapacity: true) }
            said[caller] = Answer(directory: directory, mayBeUnheard: mayCheckOnly && !isRepeated)
            isEmpty.store(false, ordering: .sequentiallyConsistent)
            return true
        }
    }

    /// Forgets the caller. It has found its directory, so it walks anew, or goes on where it stands.
    func forget(_ caller: Int32) {
        guard !isEmpty.load(ordering: .sequentiallyConsistent) else { return }
        said.withLock { said in
            said[caller] = nil
            if said.isEmpty { isEmpty.store(true, ordering: .sequentiallyConsistent) }
        }
    }
}

import Synchronization

/// A counter and an end mark shared by the threads of one test.
final class Flagged: Sendable {
    private let counter = Atomic<Int>(0)
    private let end = Atomic<Bool>(false)

    var count: Int { counter.load(ordering: .sequentiallyConsistent) }
    var finished: Bool { end.load(ordering: .sequentiallyConsistent) }

    func add() {
        counter.add(1, ordering: .sequentiallyConsistent)
    }

    func finish() {
        end.store(true, ordering: .sequentiallyConsistent)
    }
}

import Synchronization

/// Says to other threads that something is over.
final class Latch: Sendable {
    private let state = Atomic<Bool>(false)

    var isClosed: Bool { state.load(ordering: .sequentiallyConsistent) }

    func close() { state.store(true, ordering: .sequentiallyConsistent) }
}

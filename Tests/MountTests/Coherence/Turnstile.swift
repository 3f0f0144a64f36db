import Glibc
import SwitchTestKit
import Synchronization

/// Lets threads make their steps, and holds them all up between two steps when asked.
final class Turnstile: Sendable {
    private let isShut = Atomic<Bool>(false)
    private let inside = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)
    private let passed = Atomic<Int>(0)

    var steps: Int { passed.load(ordering: .relaxed) }
    var hasEnded: Bool { isOver.load(ordering: .sequentiallyConsistent) }

    /// Steps until the end.
    func run(_ step: () -> Void) {
        while !hasEnded {
            inside.add(1, ordering: .sequentiallyConsistent)
            if isShut.load(ordering: .sequentiallyConsistent) {
                inside.subtract(1, ordering: .sequentiallyConsistent)
                takeBreath()
                continue
            }
            step()
            passed.add(1, ordering: .relaxed)
            inside.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// Returns when nobody is in a step.
    func shut() throws {
        isShut.store(true, ordering: .sequentiallyConsistent)
        try eventually("nobody is in a step") { inside.load(ordering: .sequentiallyConsistent) == 0 }
    }

    func open() { isShut.store(false, ordering: .sequentiallyConsistent) }

    func end() { isOver.store(true, ordering: .sequentiallyConsistent) }
}

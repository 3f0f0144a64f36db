internal import Synchronization
public import SystemPackage

/// How many requests were answered with each error. ENOENT is an everyday answer; EIO is never one.
public final class ErrorCounters: Sendable {
    private static let size: Int32 = 136
    private let counts = InlineArray<136, Atomic<UInt64>> { _ in Atomic(0) }

    init() {}

    func count(_ error: Int32) {
        // Numbers beyond the known ones share the first place, which no error has.
        let index = (0..<Self.size).contains(error) ? Int(error) : 0
        counts[index].add(1, ordering: .relaxed)
    }

    /// Those that there were, in the order of their numbers.
    public func snapshot() -> [(error: Errno, count: UInt64)] {
        (0..<Self.size).compactMap { number in
            let count = counts[Int(number)].load(ordering: .relaxed)
            return count == 0 ? nil : (Errno(rawValue: number), count)
        }
    }
}

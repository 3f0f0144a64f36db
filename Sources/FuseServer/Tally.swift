internal import Synchronization

/// How often each of the numbers below `size` came.
struct Tally<let size: Int>: ~Copyable, Sendable {
    private let places = InlineArray<size, Atomic<UInt64>> { _ in Atomic(0) }

    /// Numbers beyond the known ones share the first place, which stands for none.
    @inline(__always)
    func count(_ number: UInt32) {
        places[number < size ? Int(number) : 0].add(1, ordering: .relaxed)
    }

    /// Those that came at all, the lowest first.
    var counts: [(number: Int, count: UInt64)] {
        (0..<size).compactMap { number in
            let count = places[number].load(ordering: .relaxed)
            return count == 0 ? nil : (number, count)
        }
    }
}

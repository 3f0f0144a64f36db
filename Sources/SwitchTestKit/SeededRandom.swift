/// A small generator whose every sequence a printed seed brings back (splitmix64).
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    public mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(max(bound, 1)))
    }

    /// `SWITCHFS_TEST_SEED`, or a seed from the clock.
    public static var seed: UInt64 {
        if let text = Machine.environment("SWITCHFS_TEST_SEED"), let seed = UInt64(text) { return seed }
        return UInt64.random(in: 0..<1_000_000_000)
    }
}

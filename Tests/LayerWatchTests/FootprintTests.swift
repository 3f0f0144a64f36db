import CTestCalls
import Testing
import UnionCore

@testable import LayerWatch

@Suite struct FootprintTests {
    #if THREAD_SANITIZER
        private static let mayMeasure = false
    #else
        private static let mayMeasure = true
    #endif

    /// Some 20 bytes a watch. Other tests allocate and free at the same time, so the middle one of three rounds counts.
    @Test(.enabled(if: mayMeasure, "under the thread sanitizer memory isn't malloc's"))
    func bytesOfAWatch() {
        let rounds = (0..<3).map { _ in Self.round() }
        let (full, left) = (rounds.map(\.full).sorted()[1], rounds.map(\.left).sorted()[1])
        #expect(full < 60, "\(full) bytes a watch")
        #expect(left < 20, "\(left) bytes of each watch are left")
    }

    /// Bytes of each of many watches, and how many of them are left without these.
    private static func round() -> (full: Int, left: Int) {
        let before = tc_allocated()
        let count = 100_000
        var owners = WatchOwners()
        for number in 1...count {
            owners.insert(
                Owner(node: NodeID(rawValue: UInt64(number) << 20), layer: 1), for: Int32(number))
        }
        let full = Int(tc_allocated() - before)
        for number in 1...count { _ = owners.remove(NodeID(rawValue: UInt64(number) << 20)) }
        let left = Int(tc_allocated() - before)
        #expect(owners.count == 0)
        return (full / count, left / count)
    }
}

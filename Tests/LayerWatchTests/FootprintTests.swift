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

    /// Of a watch. Some 20; the rest is room for what other tests allocate at the same time.
    @Test(.enabled(if: mayMeasure, "under the thread sanitizer memory isn't malloc's"))
    func bytesOfAWatch() {
        let before = tc_allocated()
        let count = 100_000
        var owners = WatchOwners()
        for number in 1...count {
            owners.insert(
                Owner(node: NodeID(rawValue: UInt64(number) << 20), layer: 1), for: Int32(number))
        }
        let bytes = Int(tc_allocated() - before)
        #expect(bytes < count * 60, "\(bytes / count) bytes a watch")
        for number in 1...count { _ = owners.remove(NodeID(rawValue: UInt64(number) << 20)) }
        let left = Int(tc_allocated() - before)
        #expect(owners.count == 0 && left < count * 20, "\(left / count) bytes of each watch are left")
    }
}

import CTestCalls
import Glibc
import SwitchTestKit
import Testing
import UnionCore

@testable import LayerWatch

/// In a process of its own: what other tests allocate meanwhile would count.
@Suite struct FootprintTests {
    private static let isAlone = unsafe getenv("SWITCHFS_MEASURE") != nil
    #if THREAD_SANITIZER
        private static let mayMeasure = false
    #else
        private static let mayMeasure = true
    #endif

    /// What docs/architecture.md says.
    private let promised = 24

    @Test(.enabled(if: mayMeasure, "under the thread sanitizer memory isn't malloc's"))
    func bytesOfAWatch() throws {
        try run(
            "env", "SWITCHFS_MEASURE=1", "/proc/\(getpid())/exe", "--testing-library", "swift-testing",
            "--filter", "LayerWatchTests.FootprintTests/measured"
        ).orThrow()
    }

    @Test(.enabled(if: isAlone, "bytesOfAWatch() has it run alone"))
    func measured() {
        let before = tc_allocated()
        let count = 100_000
        var owners = WatchOwners()
        for number in 1...count {
            owners.insert(
                Owner(node: NodeID(rawValue: UInt64(number) << 20), layer: 1), for: Int32(number))
        }
        let bytes = Int(tc_allocated() - before) / count
        #expect(bytes <= promised, "\(bytes) bytes a watch")
        for number in 1...count { _ = owners.remove(NodeID(rawValue: UInt64(number) << 20)) }
        let left = Int(tc_allocated() - before) / count
        #expect(owners.count == 0)
        #expect(left <= 1, "\(left) bytes of each watch are left")
    }
}

import CTestCalls
import Glibc
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Bytes that are allocated in this process now.
private var allocatedBytes: Int { Int(tc_allocated()) }

/// In a process of its own: what other tests allocate meanwhile would count.
@Suite struct FootprintTests {
    private static let isAlone = unsafe getenv("SWITCHFS_MEASURE") != nil
    #if THREAD_SANITIZER
        private static let mayMeasure = false
    #else
        private static let mayMeasure = true
    #endif
    private let files = 30_000

    private let nameLength = 26

    /// What docs/architecture.md says of an inode that the kernel knows, of a name of that length: the node, its place, its
    /// share in the tables.
    private let promised = 212
    /// The tables keep their size when all in them has gone.
    private let mayStay = 20

    @Test(.enabled(if: mayMeasure, "under the thread sanitizer memory isn't malloc's"))
    func bytesOfANode() {
        let this = "/proc/\(getpid())/exe --testing-library swift-testing"
        let status = shell("SWITCHFS_MEASURE=1 \(this) --filter UnionCoreTests.FootprintTests/measured >&2")
        #expect(status == 0)
    }

    @Test(.enabled(if: isAlone, "bytesOfANode() has it run alone"))
    func measured() throws {
        let prefix = String(repeating: "n", count: nameLength - 5)
        let fixture = try Fixture(
            before: { shell("cd \($0)/lower1; seq -f \(prefix)%05g \(files) | xargs touch") })
        let names = (1...files).map { number in
            let digits = String(number)
            return prefix + String(repeating: "0", count: 5 - digits.count) + digits
        }
        // What is made at first use isn't the nodes'.
        let first = try lookUp([names[0]], in: fixture.union)
        fixture.union.forget(first[0], count: 1)
        let before = allocatedBytes
        let nodes = try lookUp(names, in: fixture.union)
        // The list is the test's own.
        let own = nodes.capacity * MemoryLayout<NodeID>.stride
        let bytes = (allocatedBytes - before - own) / files
        #expect(fixture.union.nodeCount == files)
        #expect(bytes <= promised, "\(bytes) bytes a node")
        for node in nodes { fixture.union.forget(node, count: 1) }
        // One too many changes nothing.
        fixture.union.forget(nodes[0], count: 1)
        #expect(fixture.union.nodeCount == 0)
        let left = (allocatedBytes - before - own) / files
        #expect(left <= mayStay, "\(left) bytes of each node are left")
    }

    private func lookUp(_ names: [String], in union: Union) throws(Errno) -> [NodeID] {
        var nodes: [NodeID] = []
        nodes.reserveCapacity(names.count)
        for name in names {
            let name = OwnedName(name)
            nodes.append(try union.lookup(.root, name.ref, root).entry.node)
        }
        return nodes
    }
}

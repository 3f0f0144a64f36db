import CTestCalls
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// Bytes that are allocated in this process now.
private var allocatedBytes: Int { Int(tc_allocated()) }

@Suite struct FootprintTests {
    #if THREAD_SANITIZER
        private static let mayMeasure = false
    #else
        private static let mayMeasure = true
    #endif
    private static let files = 30_000

    /// Of an inode that the kernel knows: the node, its place, and its share in the tables. Some 180; the rest is
    /// room for what other tests allocate at the same time.
    @Test(.enabled(if: mayMeasure, "under the thread sanitizer memory isn't malloc's"))
    func bytesOfANode() throws {
        let files = Self.files
        let fixture = try Fixture(
            before: { shell("cd \($0)/lower1; seq -f some-file-%05g.txt \(files) | xargs touch") })
        // What is made at first use isn't the nodes'.
        let first = try lookUp(["some-file-00001.txt"], in: fixture.union)
        fixture.union.forget(first[0], count: 1)
        let names = (1...files).map { number in
            let digits = String(number)
            return "some-file-" + String(repeating: "0", count: 5 - digits.count) + digits + ".txt"
        }
        let before = allocatedBytes
        let nodes = try lookUp(names, in: fixture.union)
        // The list is the test's own.
        let bytes = allocatedBytes - before - nodes.capacity * MemoryLayout<NodeID>.stride
        #expect(fixture.union.nodeCount == files)
        #expect(bytes < files * 300, "\(bytes / files) bytes a node")
        for node in nodes { fixture.union.forget(node, count: 1) }
        fixture.union.forget(nodes[0], count: 1)
        #expect(fixture.union.nodeCount == 0)
        let left = allocatedBytes - before - nodes.capacity * MemoryLayout<NodeID>.stride
        #expect(left < files * 100, "\(left / files) bytes of each node are left")
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

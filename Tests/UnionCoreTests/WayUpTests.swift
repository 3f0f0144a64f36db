import LinuxSystem
import SystemPackage
import Testing

@testable import UnionCore

/// The aliases above a node, also where they lead round in a circle.
@Suite struct WayUpTests {
    /// Directories, each seen last in the next one. What the last was seen in is left to the test.
    private func chain(_ length: Int) throws -> (union: UnionCore.Union, nodes: [Node]) {
        let names = (0..<length).map { "d\($0)" }
        let fixture = try Fixture(before: { shell("cd \($0)/lower1; mkdir \(names.joined(separator: " "))") })
        let nodes = try names.map { try #require(fixture.union.table.find(try fixture.node($0))) }
        for (node, next) in zip(nodes, nodes.dropFirst()) { see(node, in: next) }
        return (fixture.union, nodes)
    }

    private func see(_ node: Node, in parent: Node) {
        node.noteSeen(at: NodeAlias(of: node, in: parent, "n", layer: 1, reported: 0))
    }

    @Test func toTheRoot() throws {
        let (union, nodes) = try chain(40)
        for (index, node) in nodes.enumerated() {
            #expect(try #require(node.way).count == nodes.count - index)
            #expect(throws: Never.self) { _ = try union.resolver.path(of: node) }
        }
    }

    @Test func roundInACircle() throws {
        let (union, nodes) = try chain(40)
        let last = nodes[nodes.count - 1]
        for start in nodes.indices {
            see(last, in: nodes[start])
            for (index, node) in nodes.enumerated() {
                // Once round, and not much more.
                let length = nodes.count - min(index, start)
                let steps = WayUp(from: node).prefix(10_000).reduce(0) { count, _ in count + 1 }
                #expect(steps <= 4 * length + 16)
                #expect(node.way == nil)
                #expect(throws: Errno.staleNFSFileHandle) { _ = try union.resolver.path(of: node) }
                #expect(!union.resolver.isKnownAllTheWay(node) && !union.resolver.isRedirected(node))
                #expect(node.floor == .max)
            }
        }
    }
}

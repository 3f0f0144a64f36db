import Testing
import UnionCore

@testable import LayerWatch

@Suite("Owners of watches")
struct WatchOwnersTests {
    private func owner(_ node: UInt64, _ layer: Int = 0) -> Owner {
        Owner(node: NodeID(rawValue: node), layer: layer)
    }

    @Test func oneOrMore() {
        var owners = WatchOwners()
        #expect(owners[1] == nil && owners.remove(NodeID(rawValue: 10)).isEmpty)
        for node in [10, 11, 10, 11, 12] as [UInt64] { owners.insert(owner(node, 3), for: 1) }
        owners.insert(owner(10, 4), for: 1)
        owners.insert(owner(10, 300), for: 2)
        #expect(owners.count == 2)
        #expect(owners[1]?.first == owner(10, 3))
        #expect(owners[1]?.others == [owner(11, 3), owner(12, 3), owner(10, 4)])
        #expect(owners[2]?.first == owner(10, 300) && owners[2]?.others == [])
        #expect(owners.remove(NodeID(rawValue: 10)) == [2])
        #expect(owners[1]?.first == owner(12, 3) && owners[1]?.others == [owner(11, 3)])
        #expect(owners.remove(NodeID(rawValue: 11)).isEmpty)
        owners.remove(7)
        #expect(owners.remove(NodeID(rawValue: 12)) == [1])
        #expect(owners.count == 0 && owners[1] == nil)
    }

    /// Against sets of all pairs, with few nodes and watches, so that everything happens often.
    @Test(arguments: [5, 400]) func agreeWithPlainOnes(nodes: UInt64) {
        var owners = WatchOwners()
        var plain: [Int32: [Owner]] = [:]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<40_000 {
            let node = UInt64.random(in: 1...nodes, using: &random)
            let watch = Int32.random(in: 1...Int32(nodes) * 2, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                owners.remove(watch)
                plain[watch] = nil
            case 1:
                let unused = owners.remove(NodeID(rawValue: node))
                var expected: [Int32] = []
                for (watch, held) in plain {
                    let left = held.filter { $0.node.rawValue != node }
                    plain[watch] = left.isEmpty ? nil : left
                    if left.isEmpty { expected.append(watch) }
                }
                #expect(unused.sorted() == expected.sorted())
            default:
                let new = owner(node, Int.random(in: 0..<3, using: &random))
                owners.insert(new, for: watch)
                if plain[watch]?.contains(new) != true { plain[watch, default: []].append(new) }
            }
        }
        #expect(owners.count == plain.count)
        for watch in 1...Int32(nodes) * 2 {
            let held = owners[watch].map { [$0.first] + $0.others } ?? []
            let expected = plain[watch] ?? []
            #expect(held.count == expected.count && held.allSatisfy(expected.contains))
        }
    }
}

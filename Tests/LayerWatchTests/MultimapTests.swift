import Testing

@testable import LayerWatch

@Suite("Multimap")
struct MultimapTests {
    @Test func holdsOneOrMore() {
        var map = Multimap<Int, Int>()
        #expect(map[1] == nil && map.removeAll(for: 1) == nil)
        for value in [10, 11, 10, 11, 12] { map.insert(value, for: 1) }
        map.insert(20, for: 2)
        #expect(map.keyCount == 2)
        #expect(map[1]?.first == 10 && map[1]?.others == [11, 12])
        #expect(map[2]?.first == 20 && map[2]?.others == [])
        #expect(!map.remove(for: 1) { $0 < 12 })
        #expect(map[1]?.first == 12 && map[1]?.others == [])
        #expect(!map.remove(for: 1) { $0 < 12 })
        #expect(map.remove(for: 1) { $0 == 12 })
        #expect(map.remove(for: 1) { _ in true })
        #expect(map[1] == nil && map.keyCount == 1)
        map.insert(21, for: 2)
        let removed = map.removeAll(for: 2)
        #expect(removed?.first == 20 && removed?.others == [21])
        #expect(map[2] == nil && map.keyCount == 0)
    }

    @Test func agreesWithAPlainOne() {
        var map = Multimap<Int32, Int>()
        var plain: [Int32: Set<Int>] = [:]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50_000 {
            let key = Int32.random(in: 0..<500, using: &random)
            let value = Int.random(in: 0..<4, using: &random)
            if Bool.random(using: &random) {
                map.insert(value, for: key)
                plain[key, default: []].insert(value)
            } else {
                let isEmpty = map.remove(for: key) { $0 == value }
                plain[key]?.remove(value)
                if plain[key]?.isEmpty == true { plain[key] = nil }
                #expect(isEmpty == (plain[key] == nil))
            }
        }
        #expect(map.keyCount == plain.count)
        for (key, values) in plain {
            let held = map[key].map { [$0.first] + $0.others } ?? []
            #expect(Set(held) == values && held.count == values.count)
        }
    }
}

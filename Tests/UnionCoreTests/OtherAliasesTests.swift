import LinuxSystem
import Testing

@testable import UnionCore

/// The names of a file with many links.
@Suite struct OtherPlacesTests {
    /// Added and taken out in every order, compared with a plain list.
    @Test func againstAList() throws {
        let fixture = try Fixture(before: { shell("touch \($0)/lower1/f") })
        let union = fixture.union
        let node = try #require(union.table.find(try fixture.node("f")))
        let places = (0..<64).map { number in
            let name = OwnedName("n\(number)")
            return NodeAlias(of: node, in: union.table.root, name.ref, layer: 0, reported: 0)
        }
        var generator = SystemRandomNumberGenerator()
        var (others, list) = (OtherAliases(), [NodeAlias]())
        for _ in 0..<20_000 {
            let place = places[Int.random(in: 0..<64, using: &generator)]
            let isIn = list.contains { $0.isSame(as: place) }
            switch Int.random(in: 0..<5, using: &generator) {
            case 0, 1:
                others.add(place)
                if !isIn { list.append(place) }
            case 2, 3:
                #expect(others.remove(place) == isIn)
                list.removeAll { $0.isSame(as: place) }
            default:
                let taken = others.takeLast()
                #expect((taken == nil) == list.isEmpty)
                list.removeAll { $0.key == taken?.key }
            }
            #expect(Set(others.all.map(\.key)) == Set(list.map(\.key)) && others.all.count == list.count)
            #expect(others.isEmpty == list.isEmpty)
        }
    }

    /// What has moved away from its first name is found by another one, and that is asked first from then on.
    @Test func anotherNameTakesThePlaceOfALostOne() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0)/lower1; echo x >a; for n in b c d; do ln a $n; done")
        })
        let union = fixture.union
        let id = try fixture.node("a")
        for name in ["b", "c", "d"] { #expect(try fixture.node(name) == id) }
        shell("rm \(fixture.lower())/d \(fixture.lower())/c")
        #expect(try union.attributes(of: id, handle: nil).0.linkCount == 2)
        let node = try #require(union.table.find(id))
        let found = try #require(node.alias?.name.string)
        #expect(["a", "b"].contains(found))
        #expect(node.aliases.count == 4)
    }

    /// Each name comes and goes in constant time; here only that none is left over.
    @Test func manyLinksLeaveNothing() throws {
        let fixture = try Fixture(before: { _ in })
        try fixture.create("f")
        let id = try fixture.node("f")
        for number in 0..<2_000 { try fixture.link("f", "l\(number)") }
        let node = try #require(fixture.union.table.find(id))
        #expect(node.aliases.count == 2_001)
        for number in 0..<2_000 { try fixture.unlink("l\(number)") }
        #expect(node.aliases.map(\.name.string) == ["f"])
        #expect(try fixture.union.attributes(of: id, handle: nil).0.linkCount == 1)
    }
}

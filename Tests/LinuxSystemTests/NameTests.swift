import LinuxSystem
import Testing

@Suite("Names and paths")
struct NameTests {
    @Test func comparesBytes() {
        let name: PathRef = "file.txt"
        #expect(name == "file.txt")
        #expect(name != "file.tx")
        #expect(name.hasPrefix("file"))
        #expect(!name.hasPrefix("file.txt.gz"))
        #expect(name.hasSuffix(".txt"))
        #expect(!name.hasSuffix("xfile.txt"))
        #expect(name.dropFirst(5) == "txt")
        #expect(name.dropFirst(99).isEmpty)
        #expect(name[0] == 0x66 && name[8] == 0)
        #expect(name.lastIndex(of: 0x2e) == 4)
        #expect(name.lastIndex(of: 0x21) == nil)
    }

    @Test func knowsDots() {
        #expect((".." as PathRef).isDots && ("." as PathRef).isDots)
        #expect(!("..." as PathRef).isDots && !("" as PathRef).isDots && !(".a" as PathRef).isDots)
    }

    @Test func hashesEveryByte() {
        var seen = Set<UInt64>()
        for length in 0..<40 {
            for position in 0..<max(length, 1) {
                var bytes = [UInt8](repeating: 0x61, count: length)
                if length > 0 { bytes[position] = 0x62 }
                let name = OwnedName(bytes)
                seen.insert(name.hash)
                let copy = OwnedName(copying: name.ref)
                #expect(copy.hash == name.hash)
            }
        }
        #expect(seen.count == 1 + (1..<40).reduce(0, +))
    }

    @Test func ownsAnyBytes() {
        let name = OwnedName([0xff, 0x2f, 0x80])
        #expect(name.count == 3)
        #expect(name.ref[0] == 0xff && name.ref[3] == 0)
        #expect(name.string == "\u{fffd}/\u{fffd}")
        let part = OwnedName(copying: "abcdef", count: 3)
        #expect(part.ref == "abc")
        let empty = OwnedName("")
        #expect(empty.ref.isEmpty && empty.ref == "")
    }

    @Test func buildsPathsFromBothEnds() {
        var path = PathBuffer(capacity: 16)
        #expect(path.isEmpty && path.ref == "")
        path.prepend("c")
        path.prepend("b")
        path.append("d")
        path.prepend("")
        path.append("")
        path.prepend("a")
        #expect(path.ref == "a/b/c/d")
        path.removeAll()
        path.append("x")
        #expect(path.ref == "x")
    }

    @Test func growsAtBothEnds() {
        var path = PathBuffer(capacity: 16)
        var expected = "middle"
        path.append("middle")
        for index in 0..<400 {
            let name = OwnedName("name\(index)")
            if index % 3 == 0 {
                path.append(name.ref)
                expected += "/name\(index)"
            } else {
                path.prepend(name.ref)
                expected = "name\(index)/" + expected
            }
        }
        #expect(path.string == expected)
        #expect(path.count == expected.utf8.count)
    }

    @Test func drawsDifferentNames() {
        let one = Random.name(prefix: ".tmp-")
        let other = Random.name(prefix: ".tmp-")
        #expect(one.count == 21 && one.ref.hasPrefix(".tmp-"))
        #expect(one.ref != other.ref)
    }
}

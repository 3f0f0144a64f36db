import Glibc
import SwitchTestKit
import Testing

/// What `fcntl(F_SETFL)` changes of an open file holds for what is done through it, however its data moves.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct FileFlagTests {
    /// Passed through, by requests, and by requests with a page cache.
    static let ways = [["passthrough=auto"], ["passthrough=off"], ["passthrough=off", "coherence=static"]]

    @Test(arguments: ways)
    func appendingEndsAndBegins(options: [String]) throws {
        try withUnion(lower: ["f": "0123456789", "g": "0123456789"], options: options) { union throws in
            for name in ["f", "g", "new"] as [TestPath] {
                if name == "new" { try Sys.put(union[name], "0123456789") }
                let file = try Sys.open(union[name], O_RDWR | O_APPEND)
                try file.setFlags(0)
                try file.seek(2)
                try file.write("AB")
                #expect(try Sys.text(union[name]) == "01AB456789")
                try file.setFlags(O_APPEND)
                try file.seek(2)
                try file.write("CD")
                #expect(try Sys.text(union[name]) == "01AB456789CD")
                #expect(try file.seek(0, SEEK_CUR) == 12)
            }
        }
    }

    @Test(arguments: ways)
    func appendingBeginsLater(options: [String]) throws {
        try withUnion(lower: ["f": "0123456789"], options: options) { union throws in
            let file = try Sys.open(union["f"], O_RDWR)
            try file.setFlags(O_APPEND)
            try file.seek(2)
            try file.write("AB")
            #expect(try Sys.text(union["f"]) == "0123456789AB")
        }
    }

    /// Several who append, on both sides: no line is lost.
    @Test(arguments: ways.prefix(2))
    func appendingFromBothSides(options: [String]) throws {
        try withUnion(lower: ["f": ""], options: options) { union throws in
            let script = """
                for place in \(union["f"]) \(union.inLower("f")) \(union["f"]); do
                    (for i in $(seq 500); do echo line; done >>$place) &
                done
                wait
                """
            try shell(script).orThrow()
            #expect(try Sys.text(union.inLower("f")) == String(repeating: "line\n", count: 1500))
        }
    }

    /// A file that takes appends only takes nothing else by way of the union.
    @Test(.enabled(if: Machine.hasProgram("chattr"), "needs chattr"))
    func appendOnlyFiles() throws {
        try withUnion(lower: ["f": "0123456789"]) { union throws in
            let path = union.inLower("f").text
            guard try run("chattr", "+a", path).succeeded else {
                print("skipped: the filesystem has no append-only files")
                return
            }
            defer { _ = try? run("chattr", "-a", path) }
            let file = try Sys.open(union["f"], O_WRONLY | O_APPEND)
            try file.write("A")
            _ = failure { try file.setFlags(0) }
            _ = failure { try file.seek(2) }
            _ = failure { try file.write("B") }
            #expect(try Sys.text(union["f"]).hasPrefix("0123456789A"))
        }
    }

    /// dd takes O_DIRECT away for the last part, which isn't a whole block.
    @Test(arguments: ways)
    func directEnds(options: [String]) throws {
        try withUnion(lower: ["f": .bytes([UInt8](repeating: 7, count: 5000))], options: options) {
            union throws in
            guard failure(of: { _ = try Sys.open(union.inLower("f"), O_RDWR | Flag.direct) }) == nil else {
                print("skipped: the filesystem has no O_DIRECT")
                return
            }
            try run("dd", "if=\(union["f"])", "of=\(union["g"])", "bs=4096", "oflag=direct").orThrow()
            #expect(try Sys.contents(union["g"]) == [UInt8](repeating: 7, count: 5000))
            let file = try Sys.open(union["g"], O_RDWR | Flag.direct)
            try file.setFlags(0)
            try file.write([1, 2, 3])
            #expect(try Sys.contents(union["g"]).prefix(4) == [1, 2, 3, 7])
        }
    }
}

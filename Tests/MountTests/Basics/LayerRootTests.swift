import SwitchTestKit
import SystemPackage
import Testing

/// The path of a layer's root comes to lead elsewhere: the union goes on with the directory that it has, and says so.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct LayerRootTests {
    private func with(_ body: (Union, TestPath) throws -> Void) throws {
        try withScratch { scratch in
            let above = try scratch.directory("above")
            let lower = above / "lower"
            try Sys.makeDirectory(lower)
            try Sys.put(lower / "f", "f")
            let upper = try scratch.directory("upper")
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                #expect(try state(union) == "")
                try body(union, lower)
                try union.stop()
            }
        }
    }

    /// What `status` says of the layer's root in its JSON, and, if anything, of what to do in its text.
    private func state(_ union: Union) throws -> String {
        let state = try shortState(union)
        let text = try run(Machine.binary, "status", union.mount.text).orThrow().output
        // It may change between the two.
        if try shortState(union) == state {
            #expect(text.contains("mount it again") == !state.isEmpty, "\(text)")
        }
        return state
    }

    private func shortState(_ union: Union) throws -> String {
        let json = try run(Machine.binary, "status", "--json", union.mount.text).orThrow().output
        let states = ["gone", "replaced", "covered"].filter { json.contains("\"root\" : \"\($0)\"") }
        return states.joined(separator: " ")
    }

    private func expect(_ expected: String, _ union: Union) throws {
        try eventually("the layer's root is \(expected)") { try state(union) == expected }
    }

    private func warnings(_ union: Union) -> Int {
        union.messages.split(separator: "\n").count { $0.contains("mount it again") }
    }

    @Test func removedAndMadeAnew() throws {
        try with { union, lower throws in
            Sys.removeTree(lower)
            try expect("gone", union)
            try Sys.makeDirectory(lower)
            try expect("replaced", union)
            #expect(warnings(union) == 1)
        }
    }

    @Test func renamedAway() throws {
        try with { union, lower throws in
            let elsewhere = lower + ".old"
            try Sys.rename(lower, elsewhere)
            try expect("gone", union)
            #expect(try Sys.text(union["f"]) == "f")
            try Sys.put(elsewhere / "g", "g")
            try union.synchronize()
            #expect(try Sys.text(union["g"]) == "g")
            try Sys.rename(elsewhere, lower)
            try expect("", union)
            try Sys.rename(lower, elsewhere)
            try expect("gone", union)
            #expect(warnings(union) == 2)
        }
    }

    @Test func exchanged() throws {
        try with { union, lower throws in
            try Sys.makeDirectory(lower + ".new")
            try Sys.rename(lower + ".new", lower, flags: Flag.renameExchange)
            try expect("replaced", union)
            #expect(try Sys.text(union["f"]) == "f")
        }
    }

    @Test func aDirectoryAboveIsRenamed() throws {
        try with { union, lower throws in
            try Sys.rename(lower.parent, lower.parent + ".old")
            try expect("gone", union)
            try Sys.rename(lower.parent + ".old", lower.parent)
            try expect("", union)
        }
    }

    @Test func mountedOver() throws {
        try with { union, lower throws in
            try Sys.mount("none", on: lower, type: "tmpfs", flags: 0, options: "")
            defer { try? Sys.unmount(lower, lazily: true) }
            try expect("covered", union)
            #expect(try Sys.text(union["f"]) == "f")
            try Sys.unmount(lower)
            try expect("", union)
            #expect(warnings(union) == 1)
        }
    }

    /// As it was meant to be.
    @Test func theUnionItselfIsMountedThere() throws {
        try withScratch { scratch in
            let lower = try scratch.tree("lower", ["f": "f"])
            try run(Machine.binary, "-o", "lowerdir=\(lower)", lower.text).orThrow()
            defer { try? Sys.unmount(lower, lazily: true) }
            let text = try run(Machine.binary, "status", lower.text).orThrow().output
            #expect(!text.contains("mount it again"))
        }
    }
}

import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Mappings without passthrough: what can't be true can't be had.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct SharedMappingTests {
    private static let files: Tree = ["f": .bytes([UInt8](repeating: 97, count: 4096))]

    /// Somebody else may write: a page of the union's own wouldn't be the layer's.
    @Test func isRefusedWhereOthersMayWrite() throws {
        for mode in ["watch", "check", "ttl"] {
            try withUnion(
                lower: Self.files, options: ["passthrough=off", "coherence=\(mode)"]
            ) { union throws in
                let file = try Sys.open(union["f"], O_RDWR)
                let error = failure { _ = try Mapping(file, length: 4096, writable: true) }
                #expect(error == .operationNotSupportedByDevice, "\(mode)")
            }
        }
    }

    @Test func isGivenWhereNobodyWrites() throws {
        try withUnion(
            lower: Self.files, options: ["passthrough=off", "coherence=static"]
        ) { union throws in
            let file = try Sys.open(union["f"], O_RDWR)
            let mapping = try Mapping(file, length: 4096, writable: true)
            #expect(mapping[0] == 97)
            try file.write([98], at: 0)
            #expect(mapping[0] == 98)
            mapping[1] = 99
            try mapping.synchronize()
            #expect(try file.read(2, at: 0) == [98, 99])
        }
    }

    /// A mapping of a file that the union can't change shows what somebody writes to it directly, after `sync`.
    @Test(arguments: [["passthrough=off"], ["passthrough=auto"]])
    func followsAReadOnlyLayer(options: [String]) throws {
        try withUnion(lower: Self.files, attributes: ["ro"], options: options) { union throws in
            let file = try Sys.open(union["f"], O_RDONLY)
            let mapping = try Mapping(file, length: 4096, writable: false)
            #expect(mapping[0] == 97)
            for value in [98, 99, 100] as [UInt8] {
                try Sys.open(union.inLower("f"), O_WRONLY).write([value], at: 0)
                try run(Machine.binary, "sync", union.mount.text).orThrow()
                #expect(mapping[0] == value)
            }
        }
    }
}
